import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { asked } from "./script";

// The element itself, without the package: React 19 hands attributes and events on to it.
declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "watchbook-last": React.HTMLAttributes<HTMLElement> & { layout?: string; limit?: number };
    }
  }
}

function SomebodysPage() {
  const [layout, setLayout] = useState(asked.get("layout") ?? "card");
  const [shown, setShown] = useState(true);
  const [answers, setAnswers] = useState(0);
  const heard = { "onwatchbook:loaded": () => setAnswers((count) => count + 1) };
  return (
    <>
      <h1>Somebody&rsquo;s page</h1>
      <button onClick={() => setLayout("wall")}>As a wall</button>
      <button onClick={() => setShown(!shown)}>Hide or show</button>
      <p>Answers: {answers}</p>
      {shown && <watchbook-last layout={layout} limit={4} {...heard} />}
    </>
  );
}

createRoot(document.getElementById("app")!).render(
  <StrictMode>
    <SomebodysPage />
  </StrictMode>,
);
