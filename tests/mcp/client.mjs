// The official client of the Model Context Protocol asks one server what the second argument holds: a list of
// {"name", "arguments"}. Prints who answered, the tools, and each answer or why there was none.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const [command, ...args] = JSON.parse(process.argv[2]);
const client = new Client({ name: "test", version: "1" });
await client.connect(new StdioClientTransport({ command, args }));
const { tools } = await client.listTools();  // from then on answers are held to their schemas
const answers = [];
for (const call of JSON.parse(process.argv[3])) {
  try {
    answers.push(await client.callTool(call));
  } catch (error) {
    answers.push({ error: { code: error.code, message: error.message } });
  }
}
console.log(JSON.stringify({ server: client.getServerVersion(), instructions: client.getInstructions(), tools, answers }));
await client.close();
