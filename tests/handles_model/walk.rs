//! A random walk over a graph of handles, beside its twin.
//!
//! The program's own roots are a list of holds on the heap, roots in memory that is not searched, and a map with weak keys.
//! Guards lie where nobody searches, too: they keep their values from being dropped, and are no way to them. After each collection all that the twin reaches has to be there and whole, what is not there has to be
//! out of the twin's reach, and what a survivor leads to has to be there as well.

use crate::{
    faults::Fault,
    graph::{Door, Edge, Node},
    log,
    random::Random,
    twin::{self, HashMap, HashSet, Id, Twin},
};
use gleaner::{Ephemeron, Gc, Held, Root, Weak, WeakMap, WithDrop, base::sync::Ordering, collect::stats::COUNTERS};
use std::{
    mem::MaybeUninit,
    sync::atomic::{AtomicU32, Ordering as Std},
};

const HOLDS: usize = 40;
const HIDDEN: usize = 12;
const GUARDS: usize = 6;
/// More than so many reachable values are cut down.
const REACHABLE_MAX: usize = 600;

/// What keeps a value.
enum Hold {
    Plain(Gc<Node>),
    Boxed(Box<Gc<Node>>),
    Raw(*const Node),
    Reference(&'static Node),
    /// What is behind the value's last byte, and how the value is found from there.
    End(Gc<[Node]>, Weak<Node>),
}

/// An empty hold: a variant without a word in it would leave the former one's address where it is.
const EMPTY: Hold = Hold::Raw(std::ptr::null());

impl Hold {
    fn is_empty(&self) -> bool {
        matches!(self, Hold::Raw(node) if node.is_null())
    }
}

/// How a value is known whether it has died.
pub enum Watched {
    Node(Weak<Node>),
    Door(Weak<WithDrop<Door>>),
}

impl Watched {
    fn is_gone(&self) -> bool {
        match self {
            Watched::Node(weak) => weak.upgrade().is_none(),
            Watched::Door(weak) => weak.upgrade().is_none(),
        }
    }
}

/// What a walk has come across.
#[derive(Clone, Copy, Default, Debug)]
pub struct Figures {
    pub operations: u64,
    pub checks: u64,
    pub made: u64,
    pub gone: u64,
    pub refused: u64,
    /// Values in reach at the last check.
    pub last_reachable: u64,
    /// Summed up over the checks: values in reach, and values that were out of reach a collection ago and are still there.
    pub reachable: u64,
    pub survivors: u64,
}

impl Figures {
    pub fn add(&mut self, other: Figures) {
        self.operations += other.operations;
        self.checks += other.checks;
        self.made += other.made;
        self.gone += other.gone;
        self.refused += other.refused;
        self.last_reachable += other.last_reachable;
        self.reachable += other.reachable;
        self.survivors += other.survivors;
    }
}

pub struct Walk {
    random: Random,
    pub twin: Twin,
    holds: Vec<(Hold, Id)>,
    hidden: &'static mut [MaybeUninit<Option<Root<Node>>>],
    hidden_ids: Vec<Option<Id>>,
    guards: &'static mut [MaybeUninit<Option<Held<'static, Door>>>],
    guard_ids: Vec<Option<Id>>,
    map: WeakMap<Node, Gc<Node>>,
    pub watched: HashMap<Id, Watched>,
    /// Doors that were found unreachable: their destructors have run, or are ready.
    doors_gone: Vec<Id>,
    collections_seen: u64,
    pub figures: Figures,
    /// What is planted next, after how many operations.
    pub fault: Option<(Fault, u64)>,
}

// SAFETY: raw pointers in it are kept like the handles beside them.
unsafe impl Send for Walk {}

fn next_id() -> Id {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Std::Relaxed)
}

pub fn collections() -> u64 {
    COUNTERS.collections.load(Ordering::Relaxed)
}

fn empty<T>(length: usize) -> &'static mut [MaybeUninit<Option<T>>] {
    let places = crate::unsearched::unsearched(length);
    places.iter_mut().for_each(|place| _ = place.write(None));
    places
}

impl Walk {
    pub fn new(seed: u64) -> Walk {
        Walk {
            random: Random::new(seed),
            twin: Twin::default(),
            holds: (0..HOLDS).map(|_| (EMPTY, 0)).collect(),
            hidden: empty(HIDDEN),
            hidden_ids: vec![None; HIDDEN],
            guards: empty(GUARDS),
            guard_ids: vec![None; GUARDS],
            map: WeakMap::new(),
            watched: HashMap::default(),
            doors_gone: Vec::new(),
            collections_seen: 0,
            figures: Figures::default(),
            fault: None,
        }
    }

    /// Goes on for so many operations.
    pub fn run(&mut self, operations: u64) {
        for _ in 0..operations {
            self.step();
            self.figures.operations += 1;
            if let Some((fault, _)) = self.fault.filter(|(_, at)| *at <= self.figures.operations)
                && fault.plant(self)
            {
                // A stale word may hide one fault: there are more. What the walk would take away again is looked at now.
                self.fault = Some((fault, self.figures.operations + 1000));
                self.check();
                gleaner::collect();
                self.check();
            }
            if self.collections_seen != collections() {
                self.check();
                // A check makes garbage too: the collection that follows from it is not looked at by itself.
                self.collections_seen = collections();
            }
        }
    }

    fn step(&mut self) {
        match self.random.below(1000) {
            0..330 => self.make(),
            330..540 => self.join(),
            540..610 => self.cut(),
            610..650 => {
                let at = self.random.below(HOLDS);
                self.let_go(at);
            }
            650..730 => self.copy(),
            730..790 => self.hide(),
            790..850 => self.map_entry(),
            850..890 => self.pair(),
            890..910 => self.make_door(),
            910..930 => self.guard(),
            930..935 => self.bring_back(),
            935..975 => self.churn(),
            975..999 => _ = gleaner::run_destructors(),
            _ => _ = gleaner::collect(),
        }
    }

    // ---- Values ----

    /// A new value, which has edges to others, in a hold.
    fn make(&mut self) {
        let id = next_id();
        let Ok(node) = Gc::try_new(Node::with(id, &mut self.random)) else {
            self.figures.refused += 1;
            return;
        };
        self.figures.made += 1;
        self.watched.insert(id, Watched::Node(Gc::downgrade(node)));
        self.twin.values.insert(id, twin::Value::default());
        for _ in 0..self.random.below(3) {
            if let Some((to, to_id)) = self.pick() {
                let edge = Edge::new(to, &mut self.random);
                self.add_edge((node, id), edge, twin::Edge::Strong(to_id));
            }
        }
        let at = self.random.below(HOLDS);
        self.hold(at, node, id);
    }

    /// A value in reach, by a way from some root.
    #[inline(never)]
    pub fn pick(&mut self) -> Option<(Gc<Node>, Id)> {
        let (mut here, mut id) = self.pick_root()?;
        here.is_whole(id);
        for _ in 0..self.random.below(6) {
            let edges = here.edges.lock().unwrap();
            let twin = &self.twin.values[&id].edges;
            assert_eq!(edges.len(), twin.len(), "the edges of value {id}");
            if edges.is_empty() {
                break;
            }
            let at = self.random.below(edges.len());
            let (Some(next), twin::Edge::Strong(next_id)) = (edges[at].follow(), twin[at]) else { break };
            drop(edges);
            next.is_whole(next_id);
            (here, id) = (next, next_id);
        }
        Some((here, id))
    }

    fn pick_root(&mut self) -> Option<(Gc<Node>, Id)> {
        if self.random.once_in(5) {
            let at = self.random.below(HIDDEN);
            // SAFETY: written when the walk was made.
            let root = unsafe { self.hidden[at].assume_init_ref() };
            return Some((Root::gc(root.as_ref()?), self.hidden_ids[at]?));
        }
        let (hold, id) = &self.holds[self.random.below(HOLDS)];
        let node = match hold {
            hold if hold.is_empty() => return None,
            Hold::Plain(node) => *node,
            Hold::Boxed(node) => **node,
            // SAFETY: the list of holds is searched, so the address has kept the value.
            Hold::Raw(node) => unsafe { Gc::from_ptr(*node) },
            // SAFETY: as above.
            Hold::Reference(node) => unsafe { Gc::from_ptr(*node) },
            Hold::End(end, node) => {
                assert!(end.is_empty());
                node.upgrade().unwrap_or_else(|| panic!("value {id} is gone, and there is a handle to its end"))
            }
        };
        Some((node, *id))
    }

    fn hold(&mut self, at: usize, node: Gc<Node>, id: Id) {
        self.let_go(at);
        let hold = match self.random.below(5) {
            3 => Hold::End(Gc::map(node, |node| &std::slice::from_ref(node)[1..]), Gc::downgrade(node)),
            0 => Hold::Boxed(Box::new(node)),
            1 => Hold::Raw(Gc::as_ptr(node)),
            2 => Hold::Reference(Gc::get(node)),
            _ => Hold::Plain(node),
        };
        self.holds[at] = (hold, id);
        self.twin.add_root(id);
    }

    fn let_go(&mut self, at: usize) {
        let (hold, id) = std::mem::replace(&mut self.holds[at], (EMPTY, 0));
        if !hold.is_empty() {
            self.twin.remove_root(id);
        }
    }

    fn copy(&mut self) {
        if let Some((node, id)) = self.pick() {
            let at = self.random.below(HOLDS);
            self.hold(at, node, id);
        }
    }

    // ---- Edges ----

    fn add_edge(&mut self, from: (Gc<Node>, Id), edge: Edge, twin: twin::Edge) {
        let mut edges = from.0.edges.lock().unwrap();
        edges.reserve_exact(1);
        edges.push(edge);
        self.twin.values.get_mut(&from.1).expect("in reach").edges.push(twin);
    }

    fn join(&mut self) {
        let (Some(from), Some((to, to_id))) = (self.pick(), self.pick()) else { return };
        let (edge, twin) = match self.random.below(6) {
            0 => (Edge::Weak(Gc::downgrade(to)), twin::Edge::Weak(to_id)),
            _ => (Edge::new(to, &mut self.random), twin::Edge::Strong(to_id)),
        };
        self.add_edge(from, edge, twin);
    }

    fn cut(&mut self) {
        let Some((node, id)) = self.pick() else { return };
        let mut edges = node.edges.lock().unwrap();
        let twin = &mut self.twin.values.get_mut(&id).expect("in reach").edges;
        if self.random.once_in(6) {
            // The list too is given up.
            *edges = Vec::new();
            twin.clear();
        } else if !edges.is_empty() {
            let at = self.random.below(edges.len());
            edges.swap_remove(at);
            // What lies behind the last edge is searched as well.
            edges.shrink_to_fit();
            twin.swap_remove(at);
        }
    }

    fn pair(&mut self) {
        let (Some(from), Some((key, key_id)), Some((value, value_id))) = (self.pick(), self.pick(), self.pick()) else {
            return;
        };
        let edge = Edge::Pair(Ephemeron::new(key, value));
        self.add_edge(from, edge, twin::Edge::Pair { key: key_id, value: value_id });
    }

    fn map_entry(&mut self) {
        let Some((key, key_id)) = self.pick() else { return };
        let known = self.map.get(key).map(|value| value.id);
        assert_eq!(known, self.twin.map.get(&key_id).copied(), "what is noted for value {key_id}");
        let Some((value, value_id)) = self.pick() else { return };
        match self.random.below(100) {
            0..30 => assert_eq!(self.map.remove(key).map(|value| value.id), self.twin.map.remove(&key_id)),
            30..70 => {
                assert_eq!(self.map.insert(key, value).map(|value| value.id), self.twin.map.insert(key_id, value_id));
            }
            70..98 => {
                let noted = self.map.get_or_insert_with(key, || value).id;
                assert_eq!(noted, *self.twin.map.entry(key_id).or_insert(value_id));
            }
            _ => {
                let goes = self.random.below(4) as Id;
                self.map.retain(|key, value| (key.id ^ value.id) % 4 != goes);
                self.twin.map.retain(|key, value| (*key ^ *value) % 4 != goes);
            }
        }
    }

    // ---- Where nobody searches ----

    fn hide(&mut self) {
        let at = self.random.below(HIDDEN);
        let new = if self.random.once_in(3) { None } else { self.pick() };
        let root = new.map(|(node, _)| Gc::root(node));
        // A clone stands for the root that is dropped, now and then.
        let root = if self.random.once_in(2) { root.clone() } else { root };
        // SAFETY: written when the walk was made.
        *unsafe { self.hidden[at].assume_init_mut() } = root;
        let new = new.map(|(_, id)| id);
        new.inspect(|id| self.twin.add_root(*id));
        if let Some(former) = std::mem::replace(&mut self.hidden_ids[at], new) {
            self.twin.remove_root(former);
        }
    }

    /// The roots in memory that is not searched.
    pub fn hidden_roots(&self) -> impl Iterator<Item = &Root<Node>> {
        // SAFETY: written when the walk was made.
        self.hidden.iter().filter_map(|place| unsafe { place.assume_init_ref() }.as_ref())
    }

    pub fn let_go_of_holds(&mut self) {
        (0..HOLDS).for_each(|at| self.let_go(at));
    }

    fn make_door(&mut self) {
        let (Some(from), Some((inside, inside_id))) = (self.pick(), self.pick()) else { return };
        let id = next_id();
        let door = Gc::with_drop(Door { id, inside, inside_id });
        self.figures.made += 1;
        self.watched.insert(id, Watched::Door(Gc::downgrade(door)));
        let edges = vec![twin::Edge::Strong(inside_id)];
        self.twin.values.insert(id, twin::Value { edges, ..Default::default() });
        self.add_edge(from, Edge::Door(door), twin::Edge::Strong(id));
    }

    /// A door in reach.
    pub fn pick_door(&mut self) -> Option<(Gc<WithDrop<Door>>, Id)> {
        let (node, id) = self.pick()?;
        let edges = node.edges.lock().unwrap();
        edges.iter().zip(&self.twin.values[&id].edges).find_map(|(edge, twin)| match (edge, twin) {
            (Edge::Door(door), twin::Edge::Strong(id)) => Some((*door, *id)),
            _ => None,
        })
    }

    /// Looks at a door, and leaves the guard where nobody searches; or drops the door by hand.
    fn guard(&mut self) {
        let at = self.random.below(GUARDS);
        // SAFETY: written when the walk was made.
        let place = unsafe { self.guards[at].assume_init_mut() };
        if let (Some(held), Some(id)) = (place.take(), self.guard_ids[at].take()) {
            held.is_whole(id);
            assert!(!log::is_dropped(id), "value {id} was dropped beside a guard");
        }
        let Some((door, id)) = self.pick_door() else { return };
        let held = Gc::get(door).get();
        self.agree_on_door(held.as_deref(), id);
        let is_dropped = held.is_none();
        if let Some(held) = held.filter(|_| !self.random.once_in(3)) {
            // SAFETY: as above.
            *unsafe { self.guards[at].assume_init_mut() } = Some(held);
            self.guard_ids[at] = Some(id);
        } else if is_dropped {
            // Perhaps only just, by another thread.
        } else if door.drop_now().is_ok() {
            assert!(log::is_dropped(id) && door.get().is_none());
            self.twin.values.get_mut(&id).expect("in reach").may_be_dropped = true;
        } else {
            assert!(self.guard_ids.contains(&Some(id)), "value {id} has no guard, and cannot be dropped");
        }
    }

    /// A door in reach: dropped only if the twin says that it may be.
    #[track_caller]
    fn agree_on_door(&self, found: Option<&Door>, id: Id) {
        match found {
            Some(door) => {
                door.is_whole(id);
                assert!(!log::is_dropped(id), "value {id} was dropped beside a guard");
            }
            None => assert!(self.twin.values[&id].may_be_dropped, "value {id} was dropped in reach"),
        }
    }

    /// A value is found again through its weak handle, whether in reach or not.
    fn bring_back(&mut self) {
        let skipped = self.random.below(self.watched.len().max(1));
        let found = self.watched.iter().nth(skipped).and_then(|(id, watched)| match watched {
            Watched::Node(weak) => Some((weak.upgrade()?, *id)),
            Watched::Door(_) => None,
        });
        let Some((node, id)) = found else { return };
        node.is_whole(id);
        self.twin.bring_back(id);
        let at = self.random.below(HOLDS);
        self.hold(at, node, id);
        self.twin.remove_root(id);
    }

    /// Memory that is used and freed by hand.
    fn churn(&mut self) {
        let length = if self.random.once_in(100) { 100_000 } else { self.random.below(500) };
        let mut bytes = vec![0xa5u8; length];
        bytes.resize(length * 2, 0x5a);
        assert!(bytes.iter().filter(|byte| **byte == 0xa5).count() == length);
        if self.random.once_in(2) {
            std::mem::forget(bytes);
        }
    }

    // ---- Checks ----

    /// A collection has happened: does the heap agree with the twin?
    #[inline(never)]
    pub fn check(&mut self) {
        let reachable = self.twin.reachable();
        let gone: HashSet<Id> =
            self.watched.iter().filter(|(_, watched)| watched.is_gone()).map(|(id, _)| *id).collect();
        for id in &gone {
            assert!(!reachable.contains(id), "value {id} is in reach, and gone");
            if matches!(self.watched[id], Watched::Door(_)) {
                self.doors_gone.push(*id);
            }
        }
        self.watched.iter().for_each(|(id, watched)| self.check_value(*id, watched, &gone, &reachable));
        self.check_map(&reachable);
        self.figures.checks += 1;
        self.figures.gone += gone.len() as u64;
        self.figures.reachable += reachable.len() as u64;
        self.figures.last_reachable = reachable.len() as u64;
        for id in gone {
            self.watched.remove(&id);
            self.twin.values.remove(&id);
            self.twin.map.remove(&id);
        }
        for (id, value) in &mut self.twin.values {
            let is_unreachable = !reachable.contains(id);
            self.figures.survivors += u64::from(is_unreachable && value.was_unreachable);
            value.was_unreachable = is_unreachable;
            value.may_be_dropped |= is_unreachable;
        }
        if reachable.len() > REACHABLE_MAX {
            self.cut_down();
        }
    }

    /// A value that is there is whole, and so is all that it leads to.
    fn check_value(&self, id: Id, watched: &Watched, gone: &HashSet<Id>, reachable: &HashSet<Id>) {
        match watched {
            Watched::Node(weak) => {
                let Some(node) = weak.upgrade() else { return };
                node.is_whole(id);
                let edges = node.edges.lock().unwrap();
                let twin = &self.twin.values[&id].edges;
                assert_eq!(edges.len(), twin.len(), "the edges of value {id}");
                for (edge, twin) in edges.iter().zip(twin) {
                    check_edge(id, edge, *twin, gone, reachable);
                }
            }
            Watched::Door(weak) => {
                let Some(door) = weak.upgrade() else { return };
                let held = door.get();
                held.as_ref().inspect(|held| held.is_whole(id));
                if reachable.contains(&id) {
                    self.agree_on_door(held.as_deref(), id);
                }
            }
        }
    }

    fn check_map(&self, reachable: &HashSet<Id>) {
        let entries: HashMap<Id, Id> = self.map.iter().map(|(key, value)| (key.id, value.id)).collect();
        assert!(self.map.len() >= entries.len(), "{} entries for {}", self.map.len(), entries.len());
        // A key that is only waited for by a destructor still has its entry.
        for (key, value) in &entries {
            let known = self.twin.map.get(key);
            assert!(known == Some(value) || !self.watched.contains_key(key), "what is noted for value {key}");
        }
        for key in self.twin.map.keys().filter(|key| reachable.contains(key)) {
            assert!(entries.contains_key(key), "what was noted for value {key} is gone");
        }
    }

    /// No other thread runs destructors: those of doors that are gone have run, but for doors that have or had a guard and
    /// that a stale word keeps.
    pub fn check_doors(&self) {
        let left = self.doors_gone.iter().filter(|id| !log::is_dropped(**id)).count();
        let gone = self.doors_gone.len();
        assert!(left <= 2 * GUARDS + gone / 20, "of {gone} doors that are gone {left} were not dropped");
    }

    /// Lets go of much at once.
    fn cut_down(&mut self) {
        (0..HOLDS).step_by(2).for_each(|at| self.let_go(at));
        (0..200).for_each(|_| self.cut());
    }
}

fn check_edge(from: Id, edge: &Edge, twin: twin::Edge, gone: &HashSet<Id>, reachable: &HashSet<Id>) {
    match (edge, twin) {
        (Edge::Weak(weak), twin::Edge::Weak(to)) => match weak.upgrade() {
            Some(node) => node.is_whole(to),
            None => assert!(!reachable.contains(&to), "value {to} is in reach, and a weak handle to it says none"),
        },
        (Edge::Pair(pair), twin::Edge::Pair { key, value }) => match (pair.key(), pair.value()) {
            (Some(found), Some(noted)) => {
                found.is_whole(key);
                noted.is_whole(value);
            }
            (None, None) => {
                let is_lost = reachable.contains(&from) && reachable.contains(&key);
                assert!(!is_lost, "value {key} is in reach, and what is noted for it is gone");
            }
            (found, _) => panic!("half of a pair: the key, value {key}, is there: {}", found.is_some()),
        },
        (strong, twin::Edge::Strong(to)) => {
            assert!(!gone.contains(&to), "value {from} is there, and {to} is gone, to which it leads");
            match strong {
                Edge::Part(part) => assert_eq!(**part, to, "a part of value {to}"),
                Edge::Door(door) => _ = door.get().inspect(|held| held.is_whole(to)),
                other => other.follow().expect("it leads somewhere").is_whole(to),
            }
        }
        _ => panic!("an edge of value {from} is another one"),
    }
}
