import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { WatchbookLast, type Layout } from "watchbook-last-react";
import "watchbook-last-react/style.css";

// ?home=https://watch.example.com&layout=card&account=NAME
const asked = new URLSearchParams(location.search);

createRoot(document.getElementById("app")!).render(
  <StrictMode>
    <h1>Somebody&rsquo;s page</h1>
    <WatchbookLast
      home={asked.get("home") ?? ""}
      layout={(asked.get("layout") ?? "card") as Layout}
      account={asked.get("account") ?? undefined}
      locale={asked.get("locale") ?? undefined}
    />
  </StrictMode>,
);
