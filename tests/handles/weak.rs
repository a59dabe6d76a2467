//! Handles that keep nothing: weak handles, ephemerons, maps of them.

use crate::{
    child,
    world::{self, Node, alone, clear_stack, collect, dead, nearly_all},
};
use gleaner::{Ephemeron, Gc, Weak, WeakMap};
use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Mutex,
};

#[test]
fn a_weak_handle_says_none_after_its_value_died_and_not_before() {
    #[inline(never)]
    fn made() -> (Vec<Gc<Node>>, Vec<Weak<Node>>) {
        let nodes: Vec<Gc<Node>> = (0..200).map(Node::new).collect();
        let weak = nodes.iter().map(|node| Gc::downgrade(*node)).collect();
        (nodes.into_iter().step_by(2).collect(), weak)
    }
    let _alone = alone();
    let weak = world::elsewhere(|| {
        let (kept, weak) = made();
        collect();
        for (number, weak) in weak.iter().enumerate() {
            // A dead one, or a survivor: never another value.
            weak.upgrade().inspect(|node| node.is(number));
            assert!(number % 2 == 1 || weak.upgrade().is_some());
        }
        assert!(dead(&weak) >= 90, "{} of 100 have died", dead(&weak));
        kept.iter().for_each(|node| node.is(node.number));
        weak
    });
    nearly_all(&weak);
}

#[test]
fn a_value_that_was_found_through_a_weak_handle_is_kept() {
    let _alone = alone();
    let weak: Vec<Weak<Node>> = (0..100).map(|number| Gc::downgrade(Node::new(number))).collect();
    let found: Vec<Option<Gc<Node>>> = weak.iter().map(Weak::upgrade).collect();
    collect();
    found.iter().enumerate().for_each(|(number, node)| {
        node.inspect(|node| node.is(number));
    });
}

#[test]
fn copies_of_a_weak_handle_agree() {
    let _alone = alone();
    let weak: Vec<[Weak<Node>; 2]> = (0..100).map(|number| [Gc::downgrade(Node::new(number)); 2]).collect();
    collect();
    assert!(weak.iter().all(|[one, other]| one.upgrade().is_some() == other.upgrade().is_some()));
}

#[test]
fn weak_handles_to_the_same_value_are_the_same_while_it_lives() {
    static NONE: Mutex<Weak<Node>> = Mutex::new(Weak::new());
    let _alone = alone();
    let none = *NONE.lock().unwrap();
    assert!(none.upgrade().is_none() && none.ptr_eq(&Weak::default()) && none.ptr_eq(&none));
    let (one, other) = (Node::new(1), Node::new(2));
    let (first, second) = (Gc::downgrade(one), Gc::downgrade(one));
    collect();
    assert!(first.ptr_eq(&second) && !first.ptr_eq(&Gc::downgrade(other)) && !first.ptr_eq(&none));
    let parts = Gc::new([1u8, 2]);
    let part = |index: usize| Gc::downgrade(Gc::map(parts, move |parts| &parts[index]));
    assert!(part(1).ptr_eq(&part(1)) && !part(0).ptr_eq(&part(1)));
    one.is(1);
    other.is(2);
    // Of those that have died, copies.
    let gone: Vec<[Weak<Node>; 2]> = (0..100).map(|number| [Gc::downgrade(Node::new(number)); 2]).collect();
    collect();
    assert!(gone.iter().all(|[one, copy]| one.ptr_eq(copy)));
    let dead: Vec<&Weak<Node>> = gone.iter().flatten().filter(|weak| weak.upgrade().is_none()).step_by(2).collect();
    assert!(dead.windows(2).all(|pair| !pair[0].ptr_eq(pair[1]) && !pair[0].ptr_eq(&none)));
}

#[test]
fn a_tree_with_weak_links_to_parents_dies_as_one() {
    struct Tree {
        parent: Cell<Option<Weak<Tree>>>,
        children: RefCell<Vec<Gc<Tree>>>,
    }
    fn grow(depth: u32, weak: &mut Vec<Weak<Tree>>) -> Gc<Tree> {
        let tree = Gc::new(Tree { parent: Cell::new(None), children: RefCell::new(Vec::new()) });
        let here = Gc::downgrade(tree);
        weak.push(here);
        if depth > 0 {
            tree.children.borrow_mut().extend((0..4).map(|_| grow(depth - 1, weak)));
        }
        tree.children.borrow().iter().for_each(|child| child.parent.set(Some(here)));
        tree
    }
    // SAFETY: one thread at a time looks at it.
    unsafe impl Sync for Tree {}
    let grow_and_look = || {
        let mut weak = Vec::new();
        let top = grow(3, &mut weak);
        collect();
        assert_eq!(dead(&weak), 0);
        let child = top.children.borrow()[3];
        assert!(Gc::ptr_eq(child.parent.get().unwrap().upgrade().unwrap(), top));
        weak
    };
    let _alone = alone();
    // A stale address may keep one of them, and with it all of it.
    let trees: Vec<_> = (0..20).map(|_| world::elsewhere(grow_and_look)).collect();
    let weak: Vec<_> = trees.concat();
    assert_eq!(weak.len(), 20 * 85);
    nearly_all(&weak);
}

#[test]
fn a_value_lives_as_long_as_its_key_also_if_it_refers_to_it() {
    struct Value(#[allow(dead_code, reason = "it is what leads back to the key")] Gc<Node>, Gc<Node>);
    type Pair = Ephemeron<Node, Value>;
    #[inline(never)]
    fn made() -> (Vec<Gc<Node>>, Vec<Pair>, Vec<Weak<Node>>) {
        let keys: Vec<Gc<Node>> = (0..100).map(Node::new).collect();
        let value = |key: &Gc<Node>| Gc::new(Value(*key, Node::new(key.number + 1000)));
        let pairs: Vec<Pair> = keys.iter().map(|key| Ephemeron::new(*key, value(key))).collect();
        let weak = pairs.iter().map(|pair| Gc::downgrade(pair.value().unwrap().1)).collect();
        (keys, pairs, weak)
    }
    let _alone = alone();
    let (pairs, weak) = world::elsewhere(|| {
        let (keys, pairs, weak) = made();
        collect();
        for (number, pair) in pairs.iter().enumerate() {
            assert!(Gc::ptr_eq(pair.key().expect("kept"), keys[number]));
            pair.value().expect("its key is kept").1.is(number + 1000);
        }
        (pairs, weak)
    });
    nearly_all(&weak);
    assert!(pairs.iter().all(|pair| pair.key().is_some() == pair.value().is_some()), "both or none");
}

#[test]
fn a_chain_of_ephemerons_lives_by_its_first_key() {
    /// Each value is the key of the next: the order in which they are found is the worst there is.
    #[inline(never)]
    fn chain(length: usize) -> (Gc<Node>, Vec<Ephemeron<Node, Node>>) {
        let nodes: Vec<Gc<Node>> = (0..=length).map(Node::new).collect();
        let mut pairs: Vec<_> = nodes.windows(2).map(|pair| Ephemeron::new(pair[0], pair[1])).collect();
        pairs.reverse();
        (nodes[0], pairs)
    }
    let _alone = alone();
    let (first, pairs) = chain(20_000);
    collect();
    for (number, pair) in pairs.iter().rev().enumerate() {
        pair.key().expect("the chain holds").is(number);
        pair.value().expect("the chain holds").is(number + 1);
    }
    first.is(0);
    #[inline(never)]
    fn broken() -> Vec<Ephemeron<Node, Node>> {
        chain(20_000).1
    }
    let pairs = broken();
    world::clear_stack();
    assert!(gleaner::collect());
    let alive = pairs.iter().filter(|pair| pair.value().is_some()).count();
    // A stale word keeps the chain from there on: the first is all that matters, and it may be such a one.
    assert!(alive < pairs.len() || pairs.last().unwrap().key().is_some(), "{alive}");
}

#[test]
fn an_ephemeron_dies_with_what_leads_to_it() {
    #[inline(never)]
    fn made() -> (Vec<Gc<Node>>, Vec<Weak<Node>>) {
        (0..100)
            .map(|number| {
                let (key, value) = (Node::new(number), Node::new(number));
                Ephemeron::new(key, value);
                (key, Gc::downgrade(value))
            })
            .unzip()
    }
    let _alone = alone();
    let (keys, values) = world::elsewhere(made);
    nearly_all(&values);
    keys.iter().enumerate().for_each(|(number, key)| key.is(number));
}

/// Values that refer to their keys.
type Doubles = WeakMap<Node, (Gc<Node>, usize)>;

/// A map and its keys.
#[inline(never)]
fn map_of(count: usize) -> (Doubles, Vec<Gc<Node>>, Vec<Weak<Node>>) {
    let keys: Vec<Gc<Node>> = (0..count).map(Node::new).collect();
    let map = keys.iter().map(|key| (*key, (*key, key.number * 2))).collect();
    let weak = keys.iter().map(|key| Gc::downgrade(*key)).collect();
    (map, keys, weak)
}

#[test]
fn an_entry_of_a_map_lives_as_long_as_its_key() {
    let _alone = alone();
    let (map, keys, weak) = world::elsewhere(|| {
        let (map, keys, weak) = map_of(1000);
        collect();
        assert_eq!(map.iter().count(), 1000);
        for (number, key) in keys.iter().enumerate() {
            let value = map.get(*key).expect("its key is kept");
            assert!(Gc::ptr_eq(value.0, *key) && value.1 == number * 2);
        }
        (map, keys[..300].to_vec(), weak)
    });
    nearly_all(&weak[300..]);
    let alive = map.iter().count();
    assert!((300..370).contains(&alive), "{alive} entries for 300 keys");
    keys.iter().enumerate().for_each(|(number, key)| assert_eq!(map.get(*key).expect("kept").1, number * 2));
}

#[test]
fn a_map_of_keys_that_come_and_go_does_not_grow() {
    #[inline(never)]
    fn add(map: &mut WeakMap<Node, (Gc<Node>, [u64; 32])>, number: usize) {
        let key = Node::new(number);
        assert!(map.insert(key, (key, [7; 32])).is_none(), "a new key");
        assert!(map.get(key).is_some_and(|value| Gc::ptr_eq(value.0, key)));
    }
    child::succeeds("weak::a_map_of_keys_that_come_and_go_does_not_grow", "floor=1M:limit=24M", || {
        let _alone = alone();
        let mut map = WeakMap::new();
        // 100 MB in all.
        (0..200_000).for_each(|number| add(&mut map, number));
    });
}

#[test]
fn a_map_agrees_with_a_plain_one() {
    use std::collections::HashMap;
    let _alone = alone();
    let keys: Vec<Gc<Node>> = (0..300).map(Node::new).collect();
    let (mut map, mut twin) = (WeakMap::new(), HashMap::new());
    let mut random = 1u64;
    for step in 0..100_000u64 {
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let number = (random >> 33) as usize % keys.len();
        let key = keys[number];
        match random >> 61 {
            0..2 => assert_eq!(map.insert(key, step).as_deref(), twin.insert(number, step).as_ref()),
            2 => assert_eq!(*map.get_or_insert_with(key, || step), *twin.entry(number).or_insert(step)),
            3..5 => assert_eq!(map.remove(key).as_deref(), twin.remove(&number).as_ref()),
            5 => assert_eq!(map.contains_key(key), twin.contains_key(&number)),
            _ => assert_eq!(map.get(key).as_deref(), twin.get(&number)),
        }
        assert_eq!((map.len(), map.is_empty()), (twin.len(), twin.is_empty()));
        match step % 20_000 {
            0 => collect(),
            10_000 => {
                let mut pairs: Vec<(usize, u64)> =
                    (&map).into_iter().map(|(key, value)| (key.number, *value)).collect();
                pairs.sort_unstable();
                let mut wanted: Vec<(usize, u64)> = twin.iter().map(|(key, value)| (*key, *value)).collect();
                wanted.sort_unstable();
                assert_eq!(pairs, wanted);
            }
            5_000 => {
                map.retain(|key, value| !(*value + key.number as u64).is_multiple_of(3));
                twin.retain(|key, value| !(*value + *key as u64).is_multiple_of(3));
            }
            15_000 => {
                map.clear();
                twin.clear();
            }
            _ => {}
        }
    }
}

#[test]
fn keys_are_objects_and_not_what_they_are_equal_to() {
    let _alone = alone();
    let (one, other) = (Gc::new(String::from("same")), Gc::new(String::from("same")));
    let map: WeakMap<String, u32> = [(one, 1), (other, 2)].into_iter().collect();
    assert_eq!((map.get(one).as_deref(), map.get(other).as_deref()), (Some(&1), Some(&2)));
    assert_eq!(format!("{:?}", WeakMap::from_iter([(one, 1)])), "{\"same\": 1}");
}

#[test]
fn a_map_counts_at_most_what_is_there() {
    let _alone = alone();
    let (mut map, keys) = world::elsewhere(|| {
        let (map, keys, _) = map_of(1000);
        (map, keys[..300].to_vec())
    });
    clear_stack();
    assert!(gleaner::collect());
    let alive = map.iter().count();
    assert!(alive >= 300 && map.len() >= alive && map.len() <= 1000, "{} for {alive}", map.len());
    // Going over it finds those that have died.
    map.retain(|_, _| true);
    assert!((300..=alive).contains(&map.len()), "{} for {alive}", map.len());
    map.retain(|key, _| key.number >= 300);
    keys.iter().for_each(|key| assert!(!map.contains_key(*key)));
    keys.iter().for_each(|key| _ = map.insert(*key, (*key, 0)));
    assert!(map.len() >= 300 && keys.iter().all(|key| map.get(*key).is_some_and(|value| value.1 == 0)));
}

#[test]
fn a_map_stays_whole_when_a_closure_panics() {
    let _alone = alone();
    let (mut map, keys, _) = map_of(100);
    let mut asked = 0;
    let result = catch_unwind(AssertUnwindSafe(|| {
        map.retain(|_, _| {
            asked += 1;
            if asked > 50 {
                resume_unwind(Box::new("enough"));
            }
            false
        });
    }));
    assert!(result.is_err());
    assert_eq!((map.len(), map.iter().count()), (50, 50));
    let other = Node::new(7);
    let result = catch_unwind(AssertUnwindSafe(|| map.get_or_insert_with(other, || resume_unwind(Box::new("no")))));
    assert!(result.is_err() && !map.contains_key(other) && map.len() == 50);
    keys.iter().for_each(|key| _ = map.remove(*key));
    assert!(map.is_empty() && map.iter().next().is_none());
}
