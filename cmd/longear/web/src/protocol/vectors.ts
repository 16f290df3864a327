// Reads protocol/testdata/vectors for the tests, as SPEC.md section 18 describes the files. Tests run in the folder of
// package.json.

import { readFileSync } from "node:fs";
import { hexToBytes } from "@noble/hashes/utils.js";

/** A message with everything in it. Numbers that are missing are zero. */
export interface MessageVector {
  readonly name: string;
  readonly seed: string;
  readonly author: string;
  readonly created: number;
  readonly lifetime: number;
  readonly channel: string;
  readonly class: number;
  readonly kind: number;
  readonly flags: number;
  readonly parents: readonly string[];
  readonly body: string;
  readonly nonce: string;
  readonly wire: string;
  readonly id: string;
  readonly signature: string;
}

/** Bytes and what is to be made of them. */
export interface VerdictVector {
  readonly name: string;
  readonly wire: string;
  readonly verdict: string;
}

/** A sealed body, or a direct message, and what opening it gives. */
export interface OpenVector {
  readonly name: string;
  readonly secret?: string;
  readonly key?: string;
  readonly wire: string;
  readonly error?: "other key" | "malformed";
  readonly author?: string;
  readonly created?: number;
  readonly kind?: number;
  readonly parents?: readonly string[];
  readonly text?: string;
}

/** A channel key, and the passphrase it comes from if there is one. */
export interface KeyVector {
  readonly name: string;
  readonly passphrase: string;
  readonly secret: string;
  readonly tag: string;
  readonly sealkey: string;
}

/** A sealed body and what it is made from. */
export interface SealVector {
  readonly name: string;
  readonly secret: string;
  readonly author: string;
  readonly nonce: string;
  readonly text: string;
  readonly body: string;
  readonly wire: string;
}

/** A body of a response or a poll, and what it says; nothing but the body if it is malformed. */
export interface BodyVector {
  readonly name: string;
  readonly body: string;
}

/** The body of a manifest. Numbers and texts that are missing are zero and empty; of a malformed one all but the body are. */
export interface ManifestVector {
  readonly name: string;
  readonly body: string;
  readonly size?: number;
  readonly chunks?: readonly string[];
  readonly type?: string;
  readonly filename?: string;
  readonly width?: number;
  readonly height?: number;
  readonly preview?: string;
  readonly caption?: string;
}

/** Every file. */
export interface VectorFiles {
  readonly messages: { readonly valid: readonly MessageVector[]; readonly invalid: readonly VerdictVector[] };
  readonly ed25519: { readonly vectors: readonly VerdictVector[] };
  readonly channels: {
    readonly names: readonly { readonly input: string; readonly name: string; readonly tag: string }[];
    readonly refused: readonly { readonly input: string }[];
    readonly keys: readonly KeyVector[];
    readonly passphrases: readonly KeyVector[];
  };
  readonly polls: {
    readonly valid: readonly (BodyVector & {
      readonly most: number;
      readonly options: readonly string[];
      readonly question: string;
    })[];
    readonly malformed: readonly BodyVector[];
  };
  readonly responses: {
    readonly valid: readonly (BodyVector & {
      readonly answer: string;
      readonly options?: readonly number[];
      readonly text?: string;
    })[];
    readonly malformed: readonly BodyVector[];
  };
  readonly sealed: { readonly seal: readonly SealVector[]; readonly open: readonly OpenVector[] };
  readonly direct: { readonly open: readonly OpenVector[] };
  readonly cards: {
    readonly valid: readonly {
      readonly name: string;
      readonly card: string;
      readonly author: string;
      readonly sealing: string;
    }[];
    readonly invalid: readonly { readonly name: string; readonly card: string }[];
  };
  readonly stamps: {
    readonly stamps: readonly { readonly id: string; readonly bits: number }[];
    readonly minted: readonly MessageVector[];
  };
  readonly manifests: { readonly valid: readonly ManifestVector[]; readonly invalid: readonly ManifestVector[] };
  readonly carry: {
    readonly files: readonly {
      readonly name: string;
      readonly file: string;
      readonly events: readonly { readonly wire?: string; readonly age: number; readonly damage?: string }[];
    }[];
  };
}

/** The vectors of one file. */
export function vectors<Name extends keyof VectorFiles>(name: Name): VectorFiles[Name] {
  return JSON.parse(readFileSync(`../../../protocol/testdata/vectors/${name}.json`, "utf8")) as VectorFiles[Name];
}

/** Bytes from hex, in which `(xx*n)` stands for n times the byte xx. */
export function bytesOf(hex: string | undefined): Uint8Array {
  return hexToBytes((hex ?? "").replace(/\(([0-9a-f]{2})\*(\d+)\)/g, (_, xx: string, n: string) => xx.repeat(Number(n))));
}
