// The module that the server hands out.
import { suite } from "./suite.mjs";

suite(await import("../dist/socket.io.esm.min.js"));
