"""Runs the example of the page (standard input), then calls TOOL with ARGUMENTS.

Answers each question with yes.
"""

import asyncio
import json
import sys

import fastmcp


async def yes(message, response_type, params, context):
    print("ASKED", message.splitlines()[0], flush=True)
    return (
        {"confirm": True}
        if response_type is None
        else response_type(**dict.fromkeys(response_type.__annotations__, True))
    )


async def main():
    url, how, tool, arguments = sys.argv[1:]
    auth = "oauth" if how == "oauth" else how
    async with fastmcp.Client(url, auth=auth, elicitation_handler=yes) as client:
        print("TOOLS", *[tool.name for tool in await client.list_tools()], flush=True)
        result = await client.call_tool(tool, json.loads(arguments), raise_on_error=False)
        print("ERROR" if result.is_error else "RESULT", result.content[0].text)


asyncio.run(main())
