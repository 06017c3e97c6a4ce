// A Socket.IO server of Node on the Postgres adapter: see ../mixed/ops.mjs.
import pg from "pg";
import { Server } from "socket.io";
import { createAdapter } from "@socket.io/postgres-adapter";
import { Emitter } from "@socket.io/postgres-emitter";
import { serve } from "../mixed/ops.mjs";

const pool = new pg.Pool({ connectionString: process.argv[2] });
serve(Server, createAdapter(pool, { errorHandler: (e) => console.error(e) }), new Emitter(pool));
