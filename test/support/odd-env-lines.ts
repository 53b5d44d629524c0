export type OddEnvLine = {
  what: string;
  /** What stands in the file; NAME is the variable. */
  text: string;
  /** What this package reads; null: nothing. */
  value: string | null;
  /** What systemd reads, where that is something else, and why that is so. */
  systemd?: { value: string | null; because: string };
};

const people = "people edit such files";
const lines = "here a value ends with its line";

/** Lines as people and programs write them into env files. */
export const oddEnvLines: readonly OddEnvLine[] = [
  { what: "plain", text: "NAME=a", value: "a" },
  { what: "without a line break at the end", text: "A=b\nNAME=a", value: "a" },
  { what: "empty", text: "NAME=\n", value: "" },
  { what: "empty in quotes", text: 'NAME=""\n', value: "" },
  { what: "blanks in front", text: "  \tNAME=a\n", value: "a" },
  { what: "blanks around the sign", text: "NAME \t= \ta\n", value: "a" },
  { what: "blanks at the end", text: "NAME=a \t \n", value: "a" },
  { what: "blanks within", text: "NAME=a  b\n", value: "a  b" },
  { what: "blanks kept by quotes", text: 'NAME=" a "\n', value: " a " },
  { what: "blanks kept by single quotes", text: "NAME=' a '\n", value: " a " },
  { what: "signs within", text: "NAME=a=b==\n", value: "a=b==" },
  { what: "CRLF", text: "NAME=a\r\nA=b\r\n", value: "a" },
  { what: "CRLF behind a quote", text: 'NAME="a"\r\n', value: "a" },
  { what: "CR alone", text: "A=b\rNAME=a\rC=d", value: "a" },
  { what: "a comment in front", text: "# NAME=b\nNAME=a\n# NAME=c\n", value: "a" },
  { what: "a comment with a semicolon", text: "NAME=a\n; NAME=b\n", value: "a" },
  { what: "a comment with quotes", text: "# don't \"NAME=b\nNAME=a\n", value: "a" },
  { what: "an indented comment", text: "NAME=a\n  # NAME=b\n", value: "a" },
  { what: "a number sign within", text: "NAME=a#b\n", value: "a#b" },
  { what: "what looks like a comment behind a bare value", text: "NAME=a # b\n", value: "a # b" },
  {
    what: "a comment behind a quoted value",
    text: 'NAME="a" # b\n',
    value: "a",
    systemd: { value: "a# b", because: people },
  },
  {
    what: "a comment with quotes behind a quoted value",
    text: "NAME='a' # \"b\" 'c'\n",
    value: "a",
    systemd: { value: "a# \"b\" 'c'", because: people },
  },
  { what: "a number sign in quotes", text: 'NAME="a # b"\n', value: "a # b" },
  { what: "quotes of the other kind", text: "NAME='a \"b\"'\n", value: 'a "b"' },
  { what: "an apostrophe within", text: "NAME=it's\n", value: "it's" },
  { what: "quotes within", text: 'NAME=a "b" c\n', value: 'a "b" c' },
  { what: "escaped quotes in quotes", text: String.raw`NAME="a \"b\""`, value: 'a "b"' },
  { what: "escaped backslashes in quotes", text: String.raw`NAME="a\\b"`, value: String.raw`a\b` },
  { what: "an escaped dollar in quotes", text: 'NAME="\\$a \\`b\\`"\n', value: "$a `b`" },
  { what: "another escape in quotes", text: String.raw`NAME="a\nb"`, value: String.raw`a\nb` },
  { what: "a backslash in single quotes", text: String.raw`NAME='a\b'`, value: String.raw`a\b` },
  {
    what: "variables are not expanded",
    text: "NAME=$HOME ${HOME} $(id) `id`\n",
    value: "$HOME ${HOME} $(id) `id`",
  },
  { what: "a tilde", text: "NAME=~/a\n", value: "~/a" },
  { what: "percent signs", text: "NAME=100%h %%\n", value: "100%h %%" },
  { what: "letters beyond ASCII", text: "NAME=größer ✓\n", value: "größer ✓" },
  { what: "the name twice", text: "NAME=a\nNAME=b\n", value: "b" },
  { what: "the name twice, empty at last", text: "NAME=a\nNAME=\n", value: "" },
  { what: "no sign", text: "NAME\n", value: null },
  { what: "a name that is none", text: "9NAME=a\nNA-ME=b\n.NAME=c\n", value: null },
  {
    what: "export",
    text: "export NAME=a\n",
    value: "a",
    systemd: { value: null, because: people },
  },
  {
    what: "export, quotes and a comment",
    text: " export  NAME = 'a b'   # 'c'\r\n",
    value: "a b",
    systemd: { value: null, because: people },
  },
  {
    what: "a byte order mark",
    text: "\uFEFFNAME=a\n",
    value: "a",
    systemd: { value: null, because: people },
  },
  {
    what: "a backslash outside of quotes",
    text: String.raw`NAME=a\b`,
    value: String.raw`a\b`,
    systemd: { value: "ab", because: "GITHUB_TOKEN_COMMAND has backslashes of its own" },
  },
  {
    what: "a backslash at the end of a line",
    text: "NAME=a\\\nA=b\n",
    value: "a\\",
    systemd: { value: "aA=b", because: lines },
  },
  {
    what: "a quotation mark that is not closed",
    text: 'NAME="a\nA=b\n',
    value: '"a',
    systemd: { value: "a\nA=b\n", because: lines },
  },
];
