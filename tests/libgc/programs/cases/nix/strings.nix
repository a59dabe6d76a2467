# Strings: made, split, matched, replaced, hashed, joined, written as JSON and read again.
let
  scale = builtins.fromJSON (builtins.getEnv "scale");
  range = n: builtins.genList (i: i) n;
  words = n: map (i: "word${toString (i * 7919 - (i * 7919 / 1009) * 1009)}") (range n);
  joined = n: builtins.concatStringsSep " " (words n);
  parts = text: builtins.filter builtins.isString (builtins.split " +" text);
  round = i:
    let
      text = joined (4000 + i);
      list = parts text;
      shouted = map (builtins.replaceStrings [ "w" "o" "r" "d" ] [ "W" "O" "R" "D" ]) list;
      numbers = map (word: builtins.head (builtins.match "WORD([0-9]+)" word)) shouted;
      json = builtins.toJSON (map (n: { inherit n; text = "number ${n}"; }) numbers);
      back = builtins.fromJSON json;
    in builtins.foldl' (sum: x: sum + builtins.stringLength x.text) 0 back
      + builtins.stringLength (builtins.foldl' (all: w: builtins.substring 0 200 (w + all)) "" shouted);
in builtins.foldl' (sum: i: sum + round i) 0 (range (scale * 28))
