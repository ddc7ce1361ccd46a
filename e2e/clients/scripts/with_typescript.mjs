// Calls TOOL with ARGUMENTS by the page's example beside this file: TOOL ARGUMENTS [URL TOKEN].
// With URL and TOKEN the example is not used: each request has the token. Answers each question
// with yes. SDK_1 says that the example was made one for the SDK 1.
import { Client, connect, signedIn, StreamableHTTPClientTransport } from "./example.mjs";

const [tool, text, url, token] = process.argv.slice(2);
const client = new Client(
  { name: "example", version: "1" },
  { versionNegotiation: { mode: "auto" }, capabilities: { elicitation: { form: {} } } },
);
const asked = process.env.SDK_1
  ? (await import("@modelcontextprotocol/sdk/types.js")).ElicitRequestSchema
  : "elicitation/create";
client.setRequestHandler(asked, ({ params }) => {
  console.log("ASKED", params.message.split("\n")[0]);
  return { action: "accept", content: { confirm: true } };
});

const call = () => client.callTool({ name: tool, arguments: JSON.parse(text) });
let result;
if (token) {
  const requestInit = { headers: { Authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  result = await call();
} else {
  result = await signedIn(await connect(client), call);
}
console.log(result.isError ? "ERROR" : "RESULT", result.content[0].text);
await client.close();
