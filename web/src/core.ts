// What every build of the client exports; the one called core has WebSocket alone.
export { io, io as connect, io as default } from "./io";
export { Manager, type ManagerOptions } from "./manager";
export { protocol, type Parser, type Packet } from "./parser";
export { Socket, type SocketOptions, type Auth, type Stats } from "./socket";
export type { TransportError, EngineOptions, TransportKind } from "./engine/transport";
export { websocket as WebSocket, websocket as NodeWebSocket } from "./engine/websocket";
export { batches } from "./batches";
export { events, type EventsOptions } from "./events";
export type { Options } from "./io";
export type { DefaultEventsMap } from "./types";
