// Compiles component.js with its WIT into a component: node build.js OUTPUT
//
// Without the features `http` and `fetch-event` the engine imports neither wasi:http nor
// wasi:sockets, and `fetch` does not exist in the component.

import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { componentize } from "@bytecodealliance/componentize-js";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const { component } = await componentize({
  sourcePath: here("component.js"),
  witPath: here("wit"),
  worldName: "convert",
  disableFeatures: ["http", "fetch-event"],
});
await writeFile(process.argv[2], component);
