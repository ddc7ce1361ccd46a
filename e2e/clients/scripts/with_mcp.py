"""Calls TOOL with ARGUMENTS by the page's example: DIRECTORY TOOL ARGUMENTS [URL TOKEN].

The example is DIRECTORY/example.py. With URL and TOKEN it is not used: each request has the token.
Answers each question with yes.
"""

import asyncio
import json
import sys

from mcp import Client, types
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


async def yes(context, params):
    print("ASKED", params.message.splitlines()[0], flush=True)
    return types.ElicitResult(action="accept", content={"confirm": True})


def connect(directory, url=None, token=None):
    if token:
        http = create_mcp_http_client(headers={"Authorization": f"Bearer {token}"})
        return Client(streamable_http_client(url, http_client=http), elicitation_callback=yes)
    sys.path.insert(0, directory)
    import example

    return example.lenses(elicitation_callback=yes)


async def main():
    directory, tool, arguments, *key = sys.argv[1:]
    async with connect(directory, *key) as client:
        result = await client.call_tool(tool, json.loads(arguments))
        print("ERROR" if result.is_error else "RESULT", result.content[0].text)


asyncio.run(main())
