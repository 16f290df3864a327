// The sorts of messages that not every feed has. They are fetched before the feed is shown if it has one, and after it if not.

export { Ballot } from "./ballot.tsx";
export { Photo } from "./photo.tsx";
