"""Starts the command of a client's file, and calls a tool: FILE TOOL ARGUMENTS.

Answers each question with yes.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import mcp
from mcp import types


async def yes(context, params):
    print("ASKED", params.message.splitlines()[0], flush=True)
    return types.ElicitResult(action="accept", content={"confirm": True})


async def main():
    file, tool, arguments = sys.argv[1:]
    server = mcp.StdioServerParameters(**json.loads(Path(file).read_text()), env=dict(os.environ))
    async with (
        mcp.stdio_client(server) as (read, write),
        mcp.ClientSession(read, write, elicitation_callback=yes) as session,
    ):
        await session.initialize()
        print("TOOLS", *[tool.name for tool in (await session.list_tools()).tools], flush=True)
        try:
            result = await session.call_tool(tool, json.loads(arguments))
        except mcp.MCPError as error:
            return print("REFUSED", error)
        print("RESULT", result.content[0].text)


asyncio.run(main())
