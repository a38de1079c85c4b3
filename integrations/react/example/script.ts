/** What a page of a Watchbook would have in its head: ?home=https://watch.example.com */
export const asked = new URLSearchParams(location.search);

const script = document.createElement("script");
script.src = `${asked.get("home") ?? ""}/widget.js`;
document.head.append(script);
