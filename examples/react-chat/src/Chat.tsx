import { type FormEvent, useState } from "react";
import { useConnectionState, useEmit, useEvent, useSocket } from "sockeye-client/react";
import type { ClientToServerEvents, Said, ServerToClientEvents } from "./events";

// Any component may call this: there is one connection, as long as one of them is
// mounted.
const useChat = () => useSocket<ServerToClientEvents, ClientToServerEvents>();

const user = new URLSearchParams(location.search).get("user") ?? "guest";

function Status() {
  const state = useConnectionState(useChat());
  return (
    <p id="status" className={state}>
      {state}
    </p>
  );
}

export function Chat() {
  const socket = useChat();
  const online = useConnectionState(socket) === "connected";
  const say = useEmit(socket, "chat message");
  const [messages, setMessages] = useState<(Said & { key: number })[]>([]);
  const [text, setText] = useState("");

  useEvent(socket, "chat message", (said) => {
    setMessages((all) => [...all.slice(-99), { ...said, key: (all.at(-1)?.key ?? 0) + 1 }]);
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!text.trim()) return;
    say({ user, message: text });
    setText("");
  };

  return (
    <>
      <Status />
      <ul id="messages">
        {messages.map(({ key, user, message, timestamp }) => (
          <li key={key}>
            <b>{user}</b> {message} <time dateTime={new Date(timestamp).toISOString()}>{new Date(timestamp).toLocaleTimeString()}</time>
          </li>
        ))}
      </ul>
      <form onSubmit={submit}>
        <input id="text" value={text} onChange={(event) => setText(event.target.value)} disabled={!online} placeholder={online ? "Say something" : "offline"} />
        <button id="send" disabled={!online}>
          Send
        </button>
      </form>
    </>
  );
}
