// Searching: texts are folded once, and a query asks for each of its words.

const LETTERS = { "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i" };

function fold(text) {
  return text.normalize("NFKD").toLowerCase()
    .replace(/[\p{M}'’`]/gu, "")
    .replace(/[ßæœøłđðþı]/g, (letter) => LETTERS[letter])
    .replace(/[\p{P}\p{Z}\s]+/gu, " ");
}

let folded = null;

// Done once, in the first idle moment or at the first letter, whichever comes first.
function foldAll() {
  if (folded) return;
  const texts = titles.map((title) => {
    const parts = [title.title, title.show?.title, title.year];
    if (title.type === "episode" && place(title)) {
      const { season, number } = title;
      parts.push(place(title), `s${season}e${number}`, `s${two(season)}e${two(number)}`);
    }
    return fold(parts.filter((part) => part != null).join(" "));
  });
  folded = new Map(texts.map((text, place) => [titles[place], text]));
}

// A test of titles for what a person typed; null when nothing was typed.
function matcher(query) {
  const words = fold(query).trim().split(" ").filter(Boolean);
  if (!words.length) return null;
  foldAll();
  const hits = new Set();
  for (const [title, text] of folded) {
    if (words.every((word) => text.includes(word))) hits.add(title);
  }
  return hits;
}

function textMatcher(query) {
  const words = fold(query).trim().split(" ").filter(Boolean);
  return (text) => words.every((word) => fold(text).includes(word));
}
