// What not every feed has: some sorts of messages, and what is the reader's own. It is fetched before the feed is shown if that has any of
// it, and after it if not.

export { Ballot } from "./ballot.tsx";
export { Own, Way } from "./own.tsx";
export { Photo } from "./photo.tsx";
