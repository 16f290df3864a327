// What is fetched after the first drawing, as one file: many small ones would share little of their packing.

export { Ballot } from "./ballot.tsx";
export { More, PollFields } from "./more.tsx";
export { News } from "./news.tsx";
export { Photo } from "./photo.tsx";
export { You } from "./you.tsx";
