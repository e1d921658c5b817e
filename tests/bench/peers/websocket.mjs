// What scripts/bench-realtime measures beside `zygo realtime`: rooms of WebSockets fed by Redis, as the specification's text
// has them, on `ws` and ioredis. A message is written to text once a room; nobody is authenticated.
//
//	node websocket.mjs SOCKET REDIS CHANNEL

import { createServer } from "node:http";
import { Redis } from "ioredis";
import { WebSocketServer, WebSocket } from "ws";

const [socket, redis, channel] = process.argv.slice(2);
const rooms = new Map();
const server = createServer();
const sockets = new WebSocketServer({ server, path: "/ws" });

sockets.on("connection", (ws) => {
	const joined = new Set();

	ws.on("message", (data) => {
		const { type, room } = JSON.parse(data.toString());
		if (type !== "subscribe") return;
		if (!rooms.has(room)) rooms.set(room, new Set());
		rooms.get(room).add(ws);
		joined.add(room);
		ws.send(JSON.stringify({ type: "subscribed", room }));
	});
	ws.on("close", () => {
		for (const room of joined) rooms.get(room)?.delete(ws);
	});
	ws.send(JSON.stringify({ type: "connected", userId: "x" }));
});

const subscriber = new Redis(redis);
await subscriber.subscribe(channel);
subscriber.on("message", (_, text) => {
	const { room, event, data } = JSON.parse(text);
	const payload = JSON.stringify({ type: "event", room, id: null, event, data, at: new Date().toISOString() });
	for (const ws of rooms.get(room) ?? []) if (ws.readyState === WebSocket.OPEN) ws.send(payload);
});

server.listen(socket, () => console.log("ready"));
