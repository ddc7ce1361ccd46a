"""A stand-in for the model, and for nothing else: the program that talks to it is the real one.

The person's text `CALL tool name=value; name=value;` becomes one call of the offered tool whose
name ends so. Its result, as the program hands it to the model, is repeated as text after `RESULT`.
Speaks the APIs of Anthropic (messages), OpenAI (chat completions and responses) and Gemini
(generateContent).
"""

import json
import re
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CALL = re.compile(r"CALL (\w+)((?: \w+=[^;]+;)*)")


def answer(texts, tools, results):
    """Either the name and arguments of a call, or text."""
    asked = [found for text in texts for found in CALL.findall(text)]
    if not asked or not tools:
        return None, "Nothing to do."
    if len(results) >= len(texts):
        return None, f"RESULT {results[-1]}"
    name, arguments = asked[-1]
    offered = [tool for tool in tools if tool.endswith(name)]
    if not offered:
        return None, f"NOT OFFERED {name}. Offered: {' '.join(tools)}"
    return (offered[0], dict(re.findall(r"(\w+)=([^;]+);", arguments))), None


def flat(content):
    """All text in a message's content, whatever its shape."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict) and "functionResponse" in content:
        return json.dumps(content["functionResponse"]["response"])
    if isinstance(content, dict):
        return "\n".join(
            flat(content[key])
            for key in ("text", "content", "output", "response")
            if key in content
        ) or (json.dumps(content) if "type" not in content else "")
    return "\n".join(flat(part) for part in content or [])


def said(items, is_text, is_result):
    """The person's texts that ask for a call, and the results, whatever their order."""
    texts = [flat(item) for item in items if is_text(item)]
    return [text for text in texts if CALL.search(text)], [
        flat(item) for item in items if is_result(item)
    ]


def anthropic(body):
    parts = [
        (message["role"], part)
        for message in body["messages"]
        for part in (
            [{"type": "text", "text": message["content"]}]
            if isinstance(message["content"], str)
            else message["content"]
        )
    ]
    items = [part for role, part in parts if role == "user"]
    texts, results = said(
        items, lambda part: part["type"] == "text", lambda part: part["type"] == "tool_result"
    )
    call, text = answer(texts, [tool["name"] for tool in body.get("tools", [])], results)
    block = (
        {"type": "tool_use", "id": f"toolu_{secrets.token_hex(8)}", "name": call[0], "input": {}}
        if call
        else {"type": "text", "text": ""}
    )
    delta = (
        {"type": "input_json_delta", "partial_json": json.dumps(call[1])}
        if call
        else {"type": "text_delta", "text": text}
    )
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    stop = "tool_use" if call else "end_turn"
    if not body.get("stream"):
        whole = {**block, "input": call[1]} if call else {**block, "text": text}
        return [(None, {**message, "content": [whole], "stop_reason": stop})]
    events = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop, "stop_sequence": None},
            "usage": usage,
        },
        {"type": "message_stop"},
    ]
    return [(event["type"], event) for event in events]


def chat(body):
    texts, results = said(
        body["messages"],
        lambda message: message["role"] == "user",
        lambda message: message["role"] == "tool",
    )
    call, text = answer(
        texts, [tool["function"]["name"] for tool in body.get("tools") or []], results
    )
    message = {"role": "assistant", "content": text}
    if call:
        function = {"name": call[0], "arguments": json.dumps(call[1])}
        message["tool_calls"] = [
            {
                "index": 0,
                "id": f"call_{secrets.token_hex(8)}",
                "type": "function",
                "function": function,
            }
        ]
    whole = {
        "id": "chat_1",
        "created": 1,
        "model": body["model"],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    choice = {"index": 0, "finish_reason": "tool_calls" if call else "stop"}
    if not body.get("stream"):
        return [
            (
                None,
                {
                    **whole,
                    "object": "chat.completion",
                    "choices": [{**choice, "message": message}],
                },
            )
        ]
    chunk = {**whole, "object": "chat.completion.chunk"}
    first = {**chunk, "choices": [{**choice, "finish_reason": None, "delta": message}]}
    return [("", first), ("", {**chunk, "choices": [{**choice, "delta": {}}]}), ("", "[DONE]")]


def responses(body):
    items = (
        body["input"]
        if isinstance(body["input"], list)
        else [{"role": "user", "content": body["input"]}]
    )
    texts, results = said(
        items,
        lambda item: item.get("role") == "user",
        lambda item: item.get("type") == "function_call_output",
    )
    # Codex groups the tools of one server in a namespace.
    tools, spaces = [], {}
    for tool in body.get("tools", []):
        for inner in tool.get("tools", [tool]):
            if "name" in inner:
                tools.append(inner["name"])
                spaces[inner["name"]] = tool["name"] if "tools" in tool else None
    call, text = answer(texts, tools, results)
    if call:
        item = {
            "type": "function_call",
            "id": "fc_1",
            "call_id": f"call_{secrets.token_hex(8)}",
            "name": call[0],
            "arguments": json.dumps(call[1]),
            "status": "completed",
        }
        if spaces[call[0]]:
            item["namespace"] = spaces[call[0]]
    else:
        content = [{"type": "output_text", "text": text, "annotations": []}]
        item = {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": content,
        }
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    response = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": body["model"],
        "output": [item],
        "status": "completed",
        "usage": usage,
    }
    if not body.get("stream"):
        return [(None, response)]
    events = [
        {
            "type": "response.created",
            "response": {**response, "output": [], "status": "in_progress"},
        },
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response},
    ]
    return [(event["type"], event) for event in events]


def gemini(body, stream):
    parts = [
        part
        for content in body["contents"]
        if content.get("role", "user") == "user"
        for part in content["parts"]
    ]
    texts, results = said(
        parts,
        lambda part: "text" in part,
        lambda part: "functionResponse" in part,
    )
    tools = [
        function["name"]
        for tool in body.get("tools", [])
        for function in tool.get("functionDeclarations", [])
    ]
    call, text = answer(texts, tools, results)
    part = {"functionCall": {"name": call[0], "args": call[1]}} if call else {"text": text}
    reply = {
        "candidates": [
            {"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [part]}}
        ],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
        "modelVersion": "stand-in",
    }
    return [("" if stream else None, reply)]


class Model(ThreadingHTTPServer):
    """Listens on loopback while it is entered. `url` has no path. `log` takes each request."""

    daemon_threads = True

    def __init__(self, log):
        super().__init__(("127.0.0.1", 0), Requests)
        self.url, self.log = f"http://127.0.0.1:{self.server_port}", log

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Requests(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        path = self.path.split("?")[0]
        with open(self.server.log, "a") as log:
            print(path, json.dumps(body), file=log)
        if path.endswith("/messages"):
            events = anthropic(body)
        elif path.endswith("/chat/completions"):
            events = chat(body)
        elif path.endswith("/responses"):
            events = responses(body)
        elif path.endswith(":streamGenerateContent") or path.endswith(":generateContent"):
            events = gemini(body, "stream" in path)
        elif path.endswith("count_tokens") or path.endswith(":countTokens"):
            events = [(None, {"input_tokens": 1, "totalTokens": 1})]
        else:
            return self.send_error(404)
        return self.reply(events)

    def do_GET(self):
        self.send_error(404)

    def reply(self, events):
        whole = events[0][0] is None
        self.send_response(200)
        self.send_header("Content-Type", "application/json" if whole else "text/event-stream")
        self.end_headers()
        for name, data in events:
            text = data if isinstance(data, str) else json.dumps(data)
            line = text if whole else (f"event: {name}\n" if name else "") + f"data: {text}\n\n"
            self.wfile.write(line.encode())

    def log_message(self, *_):
        pass
