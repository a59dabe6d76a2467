# Attribute sets as a package collection has them: overlays, fixed points, updates, functors, sorting, grouping.
let
  scale = builtins.fromJSON (builtins.getEnv "scale");
  range = n: builtins.genList (i: i) n;
  name = i: "package${toString i}";
  fix = f: let self = f self; in self;
  extend = f: overlay: self: let super = f self; in super // overlay self super;
  base = n: self: builtins.listToAttrs (map (i: {
    name = name i;
    value = {
      version = "1.${toString i}";
      inputs = if i < 3 then [ ] else [ self.${name (i / 2)} self.${name (i / 3)} ];
      meta = { priority = i - (i / 7) * 7; broken = i - (i / 11) * 11 == 0; };
      __functor = me: extra: me // extra;
    };
  }) (range n));
  overlay = k: self: super: builtins.mapAttrs
    (_: p: if p.meta.priority == k then p { version = p.version + ".${toString k}"; meta = p.meta // { priority = k; }; } else p) super;
  closure = depth: p: if depth == 0 then 1 else builtins.foldl' (sum: q: sum + closure (depth - 1) q) 1 p.inputs;
  round = i:
    let
      all = fix (builtins.foldl' extend (base (900 + i)) (map overlay (range 7)));
      list = builtins.attrValues all;
      sorted = builtins.sort (a: b: a.meta.priority < b.meta.priority || (a.meta.priority == b.meta.priority && a.version < b.version)) list;
      groups = builtins.groupBy (p: toString p.meta.priority) list;
    in builtins.foldl' (sum: p: sum + closure 4 p + builtins.stringLength p.version) 0 list
      + builtins.length (builtins.attrNames groups) + builtins.stringLength (builtins.head sorted).version
      + builtins.length (builtins.attrNames (builtins.intersectAttrs all (builtins.removeAttrs all (map name (range 100)))));
in builtins.foldl' (sum: i: sum + round i) 0 (range (scale * 20))
