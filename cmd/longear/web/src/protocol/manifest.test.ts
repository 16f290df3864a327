// Manifests against the vectors, and against what a page may do wrong.

import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "./bytes.ts";
import { encodeManifest } from "./encode.ts";
import { type Manifest, decodeManifest, fileLimits } from "./manifest.ts";
import { bytesOf, vectors } from "./vectors.ts";

test("manifests that are in the form", () => {
  for (const v of vectors("manifests").valid) {
    const body = bytesOf(v.body);
    const m = decodeManifest(body);
    assert.ok(m, v.name);
    assert.equal(m.size, v.size, v.name);
    assert.deepEqual(m.chunks.map(toHex), (v.chunks ?? []).map((c) => toHex(bytesOf(c))), v.name);
    assert.equal(m.type, v.type ?? "", v.name);
    assert.equal(m.name, v.filename ?? "", v.name);
    assert.equal(m.width, v.width ?? 0, v.name);
    assert.equal(m.height, v.height ?? 0, v.name);
    assert.equal(toHex(m.preview), toHex(bytesOf(v.preview)), v.name);
    assert.equal(m.caption, v.caption ?? "", v.name);
    if (body.length > fileLimits.manifest) assert.throws(() => encodeManifest(m), RangeError, v.name);
    else assert.equal(toHex(encodeManifest(m)), toHex(body), v.name);
  }
});

test("manifests that are malformed", () => {
  for (const v of vectors("manifests").invalid) assert.equal(decodeManifest(bytesOf(v.body)), undefined, v.name);
});

test("a manifest cut anywhere before its caption is malformed", () => {
  const v = vectors("manifests").valid.find((v) => v.name === "photo");
  const body = bytesOf(v?.body);
  const caption = new TextEncoder().encode(v?.caption).length;
  for (let n = 0; n < body.length - caption; n++) assert.equal(decodeManifest(body.subarray(0, n)), undefined, `${n} bytes`);
});

test("a manifest that no reader would take is not written", () => {
  const whole: Manifest = {
    size: 9,
    chunks: [new Uint8Array(32)],
    type: "",
    name: "",
    width: 0,
    height: 0,
    preview: new Uint8Array(0),
    caption: "",
  };
  assert.equal(encodeManifest(whole).length, 39);
  const wrong: Partial<Manifest>[] = [
    { size: 0 },
    { size: 1.5 },
    { size: NaN },
    { size: 32_769 },
    { chunks: [] },
    { chunks: [new Uint8Array(31)] },
    { chunks: new Array<Uint8Array>(257).fill(new Uint8Array(32)), size: 300 },
    { type: "a b" },
    { type: "x\n" },
    { type: "x".repeat(65) },
    { name: "a/b" },
    { name: "a\nb" },
    { name: "\ud800" },
    { name: "é".repeat(65) },
    { width: -1 },
    { height: 65_536 },
    { preview: new Uint8Array(2049) },
    { caption: "\udc00" },
    { caption: "x".repeat(4097) },
  ];
  for (const part of wrong) assert.throws(() => encodeManifest({ ...whole, ...part }), RangeError, JSON.stringify(part));
});
