import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { Chat } from "./Chat";
import "./style.css";

function App() {
  const [here, setHere] = useState(true);
  return (
    <main>
      <h1>React chat</h1>
      {here ? <Chat /> : <p>You have left.</p>}
      <button id="leave" onClick={() => setHere(!here)}>
        {here ? "Leave" : "Come back"}
      </button>
    </main>
  );
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
