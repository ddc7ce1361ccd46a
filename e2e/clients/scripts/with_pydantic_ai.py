"""Calls TOOL with ARGUMENTS by pydantic-ai: URL HOW TOOL ARGUMENTS, where HOW is oauth or a FILE.

FILE is a client's file with a header. Answers each question with yes.
"""

import asyncio
import json
import sys
from pathlib import Path

from pydantic_ai.mcp import MCPToolset


async def yes(message, response_type, params, context):
    print("ASKED", message.splitlines()[0], flush=True)
    return response_type(**dict.fromkeys(response_type.__annotations__, True))


async def main():
    url, how, name, arguments = sys.argv[1:]
    if how == "oauth":
        options = {"auth": "oauth"}
    else:
        server = json.loads(Path(how).read_text())["mcpServers"]["lenses"]
        url, options = server["url"], {"headers": server["headers"]}
    # A person signs in, and may take longer than the 5 seconds that are the default.
    async with MCPToolset(url, elicitation_handler=yes, init_timeout=60, **options) as toolset:
        print("TOOLS", *[tool.name for tool in await toolset.list_tools()], flush=True)
        print("RESULT", await toolset.direct_call_tool(name, json.loads(arguments)))


asyncio.run(main())
