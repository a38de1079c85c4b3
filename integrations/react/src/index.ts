export { WatchbookLast, type Layout, type Texts, type WatchbookLastProps } from "./WatchbookLast";
export { useWatchbook, type Found, type Source, type State } from "./useWatchbook";
export { addressOf, type Answer, type Play, type Now } from "./data";
