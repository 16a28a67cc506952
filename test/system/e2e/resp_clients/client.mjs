// SPDX-License-Identifier: MIT
// client.mjs FOLDER PORT TOKEN   uses a featherid-server by ioredis, which is in FOLDER.
import assert from "node:assert";
import { createRequire } from "node:module";

const [folder, port, token] = process.argv.slice(2);
const { Redis } = createRequire(`${folder}/`)("ioredis");
const ids = new Redis({ port: Number(port), password: token, connectionName: "node" });
const text = new Redis({ port: Number(port), password: token, stringNumbers: true });
const pipelining = new Redis({ port: Number(port), password: token, enableAutoPipelining: true });

const first = await ids.incr("order");
assert((await ids.incr("order")) > first);
const last = await ids.incrby("order", 100);
assert(last >= first + 101);
assert.strictEqual(typeof (await text.incr("order")), "string");
assert.strictEqual(await ids.client("GETNAME"), "node");

const many = await Promise.all(Array.from({ length: 1000 }, () => pipelining.incr("order")));
assert.strictEqual(new Set(many).size, 1000);
const rows = await ids.pipeline().incr("order").incr("nope").incr("order").exec();
assert(rows[0][1] > last && rows[2][1] > rows[0][1]);
assert.match(rows[1][0].message, /^NOTAG /);
await assert.rejects(ids.get("order"), /an id cannot be read/);
await assert.rejects(ids.set("order", 1), /unknown command/);

for (const client of [ids, text, pipelining]) assert.strictEqual(await client.quit(), "OK");
