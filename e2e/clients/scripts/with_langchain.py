"""Calls TOOL with ARGUMENTS by LangChain's adapters, with the servers of a client's FILE.

Answers each question with yes.
"""

import asyncio
import json
import sys
from pathlib import Path

from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from mcp.types import ElicitResult


async def yes(mcp_context, params, context):
    print("ASKED", params.message.splitlines()[0], flush=True)
    return ElicitResult(action="accept", content={"confirm": True})


async def main():
    file, name, arguments = sys.argv[1:]
    servers = json.loads(Path(file).read_text())["mcpServers"]
    # As the page says.
    for server in servers.values():
        server["transport"] = server.pop("type")
    client = MultiServerMCPClient(servers, callbacks=Callbacks(on_elicitation=yes))
    tools = {tool.name: tool for tool in await client.get_tools()}
    print("TOOLS", *tools, flush=True)
    call = {"type": "tool_call", "id": "1", "name": name, "args": json.loads(arguments)}
    message = await tools[name].ainvoke(call)
    print("RESULT" if message.status == "success" else "ERROR", message.content)


asyncio.run(main())
