import { expect, test } from "vitest";
import { closestWord } from "../../src/takopi/closest-word.js";

const words = ["help", "flow", "status", "refresh"];

test.each([
  ["statu", "status"], // begun
  ["re", "refresh"],
  ["STATSU", "status"], // swapped
  ["refesh", "refresh"], // one too few
  ["hellp", "help"], // one too many
  ["flaw", "flow"], // one wrong
  ["stutas", "status"], // two wrong
  ["hi", null],
  ["f", null],
  ["wolf", null], // three
  ["deploy", null],
  ["", null],
  ["x".repeat(100_000), null],
])("who types %.10j means %j", (typed, meant) => {
  expect(closestWord(typed, words)).toBe(meant);
});
