// The client with WebSocket alone.
import { suite } from "./suite.mjs";

suite(await import("../dist/core.js"), ["websocket"]);
