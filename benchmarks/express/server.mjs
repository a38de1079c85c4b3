// Gives answers from memory, as Watchbook gave them: same address, same headers, same bytes.
// What they are is read once, from the file that the first argument names.

import { readFileSync } from "node:fs";
import express from "express";

const answers = JSON.parse(readFileSync(process.argv[2], "utf8"));
const app = express();
app.disable("x-powered-by");

for (const { path, headers, body } of answers) {
  app.get(path, (_request, response) => {
    response.set(headers);
    response.send(body);
  });
}

const server = app.listen(0, "127.0.0.1", () => {
  console.log(`serves on http://127.0.0.1:${server.address().port};`);
});
process.on("SIGTERM", () => process.exit(0));
