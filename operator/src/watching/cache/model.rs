//! The cache against a plain map, under random sequences of what an API server and this operator do.
//!
//! The model is an API server with one kind: its objects are the plain map, and its log is what the
//! watches show. In the end, when every watch has shown all there is, the cache has what the map
//! has, and so has a reader who read again only what the cache called news.

use std::collections::{BTreeMap, VecDeque};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{api::ObjectMeta, runtime::watcher::Event};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any},
    prop_oneof,
    sample::select,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::{Cache, Scope, Touched, Written};

/// How many sequences are tried, the same ones each time.
const SEQUENCES: u32 = 1000;
/// How long they are at most.
const STEPS: usize = 60;

const NAMESPACES: [&str; 2] = ["a", "b"];
const NAMES: [&str; 2] = ["x", "y"];

/// Namespace and name.
type Key = (&'static str, &'static str);

#[derive(Clone, Debug)]
enum Step {
    /// Somebody else creates or changes an object.
    Change(Key),
    /// Somebody else deletes an object.
    Delete(Key),
    /// This operator sends a write.
    Send(Key),
    /// One of this operator's writes gets on: it is made, or its answer arrives.
    Answer(usize),
    /// A watch shows what comes next: an event, or a part of its list.
    Show(usize),
    /// A watch ends with 410 Gone, and begins with a new list.
    Gone(usize),
    /// The list of a watch is refused.
    Refuse(usize),
    /// The API goes with its CRD, or comes back.
    Toggle,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || (select(&NAMESPACES[..]), select(&NAMES[..]));
    vec(
        prop_oneof![
            4 => key().prop_map(Step::Change),
            3 => key().prop_map(Step::Delete),
            4 => key().prop_map(Step::Send),
            6 => any::<usize>().prop_map(Step::Answer),
            12 => any::<usize>().prop_map(Step::Show),
            2 => any::<usize>().prop_map(Step::Gone),
            1 => any::<usize>().prop_map(Step::Refuse),
            1 => Just(Step::Toggle),
        ],
        0..STEPS,
    )
}

/// One of this operator's writes.
struct Write {
    key: Key,
    since: Written,
    /// Set once the API server has made it.
    answer: Option<ConfigMap>,
}

enum Watch {
    /// It has begun; nothing has been listed.
    Begun,
    /// A list, as it was at this version, of which these are still to be shown.
    Listing(u64, VecDeque<ConfigMap>),
    /// Everything up to this version has been shown.
    Watching(u64),
}

struct World {
    // The API server.
    version: u64,
    objects: BTreeMap<Key, u64>,
    /// Each change, with the object as the watch shows it.
    log: Vec<(u64, Event<ConfigMap>)>,
    is_served: bool,
    // This operator.
    watches: BTreeMap<Scope, Watch>,
    writes: Vec<Write>,
    cache: Cache<ConfigMap>,
    /// What a reader knows who reads again what is news, and what it wrote itself.
    view: BTreeMap<Key, Option<ConfigMap>>,
}

fn object(key: Key, version: u64) -> ConfigMap {
    let metadata = ObjectMeta {
        namespace: Some(key.0.into()),
        name: Some(key.1.into()),
        resource_version: Some(version.to_string()),
        ..ObjectMeta::default()
    };
    ConfigMap { metadata, ..ConfigMap::default() }
}

fn keys() -> impl Iterator<Item = Key> {
    NAMESPACES.into_iter().flat_map(|namespace| NAMES.map(|name| (namespace, name)))
}

impl World {
    fn new(scopes: Vec<Scope>) -> Self {
        let mut world = Self {
            version: 100,
            objects: BTreeMap::new(),
            log: Vec::new(),
            is_served: true,
            watches: scopes.into_iter().map(|scope| (scope, Watch::Begun)).collect(),
            writes: Vec::new(),
            cache: Cache::default(),
            view: BTreeMap::new(),
        };
        let scopes: Vec<_> = world.watches.keys().cloned().collect();
        for scope in &scopes {
            world.begin(scope);
        }
        world
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Change(key) => drop(self.change(*key)),
            Step::Delete(key) => self.delete(*key),
            Step::Send(key) => {
                let since = self.cache.before_write();
                self.writes.push(Write { key: *key, since, answer: None });
            }
            Step::Answer(which) => self.answer(*which),
            Step::Show(which) => self.show(&self.scope(*which)),
            Step::Gone(which) => self.begin(&self.scope(*which)),
            Step::Refuse(which) => {
                let scope = self.scope(*which);
                if matches!(self.watches.get(&scope), Some(Watch::Begun)) {
                    let _is_news = self.cache.coverage().refused(&scope);
                    self.begin(&scope);
                }
            }
            Step::Toggle => self.toggle(),
        }
    }

    fn scope(&self, which: usize) -> Scope {
        self.watches.keys().nth(which % self.watches.len()).unwrap().clone()
    }

    fn change(&mut self, key: Key) -> Option<ConfigMap> {
        if !self.is_served {
            return None;
        }
        self.version += 1;
        self.objects.insert(key, self.version);
        let object = object(key, self.version);
        self.log.push((self.version, Event::Apply(object.clone())));
        Some(object)
    }

    fn delete(&mut self, key: Key) {
        if self.is_served && self.objects.remove(&key).is_some() {
            self.version += 1;
            self.log.push((self.version, Event::Delete(object(key, self.version))));
        }
    }

    fn answer(&mut self, which: usize) {
        if self.writes.is_empty() {
            return;
        }
        let place = which % self.writes.len();
        if self.writes[place].answer.is_some() {
            let Write { key, since, answer } = self.writes.remove(place);
            self.cache.wrote(&since, &mut answer.unwrap());
            self.read_again([key]);
            return;
        }
        // One that changes nothing is answered with the version that is there.
        let key = self.writes[place].key;
        let same = self.objects.get(&key).filter(|_| place % 2 == 1).copied();
        match same.map(|version| object(key, version)).or_else(|| self.change(key)) {
            Some(answer) => self.writes[place].answer = Some(answer),
            None => drop(self.writes.remove(place)),
        }
    }

    /// A watch begins: its list comes next.
    fn begin(&mut self, scope: &Scope) {
        if self.is_served {
            self.watches.insert(scope.clone(), Watch::Begun);
            self.follow(scope, &Event::Init);
        }
    }

    fn show(&mut self, scope: &Scope) {
        if !self.is_served {
            return;
        }
        match self.watches.remove(scope).unwrap() {
            Watch::Begun => {
                let listed = self.objects.iter().filter(|(key, _)| scope.covers(key.0));
                let listed = listed.map(|(key, version)| object(*key, *version)).collect();
                self.watches.insert(scope.clone(), Watch::Listing(self.version, listed));
            }
            Watch::Listing(version, mut listed) => {
                let (event, next) = match listed.pop_front() {
                    Some(object) => (Event::InitApply(object), Watch::Listing(version, listed)),
                    None => (Event::InitDone, Watch::Watching(version)),
                };
                self.watches.insert(scope.clone(), next);
                self.follow(scope, &event);
            }
            Watch::Watching(seen) => {
                let is_next = |(version, event): &&(u64, Event<ConfigMap>)| {
                    let (Event::Apply(object) | Event::Delete(object)) = event else {
                        return false;
                    };
                    *version > seen
                        && scope.covers(object.metadata.namespace.as_deref().unwrap_or_default())
                };
                let next = self.log.iter().find(is_next).cloned();
                let seen = next.as_ref().map_or(seen, |(version, _)| *version);
                self.watches.insert(scope.clone(), Watch::Watching(seen));
                if let Some((_, event)) = next {
                    self.follow(scope, &event);
                }
            }
        }
    }

    fn toggle(&mut self) {
        self.is_served = !self.is_served;
        if self.is_served {
            let scopes: Vec<_> = self.watches.keys().cloned().collect();
            for scope in &scopes {
                self.begin(scope);
            }
        } else {
            // The objects go with the CRD, and the watches end without a word.
            self.objects.clear();
            self.log.clear();
            let touched = self.cache.clear();
            self.tell(&touched);
        }
    }

    fn follow(&mut self, scope: &Scope, event: &Event<ConfigMap>) {
        let touched = self.cache.follow(scope, event);
        self.tell(&touched);
    }

    fn tell(&mut self, touched: &[Touched]) {
        let touched = keys().filter(|key| {
            touched.iter().any(|(namespace, name)| (namespace.as_str(), name.as_str()) == *key)
        });
        self.read_again(touched.collect::<Vec<_>>());
    }

    fn read_again(&mut self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            self.view.insert(key, self.cache.get(key.0, key.1));
        }
    }

    /// Everything that is under way arrives: the answers first, or last of all.
    fn settle(&mut self, answers_first: bool) {
        if !self.is_served {
            self.toggle();
        }
        let answer_all = |world: &mut Self| {
            while !world.writes.is_empty() {
                world.answer(0);
            }
        };
        if answers_first {
            answer_all(self);
        } else {
            // They are made, and nothing has been heard of them.
            for place in 0..self.writes.len() {
                if self.writes[place].answer.is_none() {
                    self.writes[place].answer = self.change(self.writes[place].key);
                }
            }
        }
        let scopes: Vec<_> = self.watches.keys().cloned().collect();
        for scope in scopes {
            // As many times as there can be anything to show.
            for _ in 0..=self.log.len() + self.objects.len() + 2 {
                self.show(&scope);
            }
        }
        answer_all(self);
    }

    fn check(&self) {
        for key in keys() {
            let there = self.objects.get(&key).map(|version| object(key, *version));
            let kept = self.cache.get(key.0, key.1);
            assert_eq!(kept, there, "{key:?} as it is kept, and as it is there");
            let read = self.view.get(&key).cloned().flatten();
            assert_eq!(read, there, "{key:?} as a reader knows it, and as it is there");
        }
        assert!(self.cache.coverage().is_read(), "everything has been listed");
    }
}

fn holds(scopes: &[Scope]) {
    let config = Config { cases: SEQUENCES, failure_persistence: None, ..Config::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, random);
    let tried = runner.run(&(steps(), any::<bool>()), |(steps, answers_first)| {
        let mut world = World::new(scopes.to_vec());
        for step in &steps {
            world.take(step);
        }
        world.settle(answers_first);
        world.check();
        Ok(())
    });
    tried.unwrap_or_else(|failed| panic!("{failed}"));
}

#[test]
fn a_watch_of_all_namespaces_keeps_what_the_api_server_has() {
    holds(&[Scope::All]);
}

#[test]
fn watches_of_several_namespaces_keep_what_the_api_server_has() {
    holds(&NAMESPACES.map(|namespace| Scope::Namespace(namespace.into())));
}
