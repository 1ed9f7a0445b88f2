// Columns of text, and whole numbers as people write them.
import { expect, it } from "vitest";
import { count, fields, table } from "../../tools/cli/table.ts";

it("puts numbers to the right under their heads, and ends no line in spaces", () => {
  const rows = [
    ["conv2d", 1234567, "12.5 %", ""],
    ["add", 0, "", "last"],
  ];
  expect(table(["op", "MACs", "share", "name"], rows)).toBe(
    ["op           MACs   share  name", "conv2d  1,234,567  12.5 %", "add             0          last"].join("\n"),
  );
});

it("shows its heads when there are no rows", () => {
  expect(table(["a", "b"], [], "  ")).toBe("  a  b");
});

it("groups digits by three", () => {
  expect([0, 999, 1000, -1234567, 2 ** 31].map(count)).toEqual(["0", "999", "1,000", "-1,234,567", "2,147,483,648"]);
});

it("lines values up behind their names", () => {
  expect(
    fields(
      [
        ["a", 1000],
        ["long", "x"],
      ],
      " ",
    ),
  ).toBe(" a     1,000\n long  x");
});
