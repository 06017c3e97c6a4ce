import { io } from "socket.io-client";
import { clients } from "../mixed/clients.mjs";

clients(io);
