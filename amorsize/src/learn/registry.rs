//! All functions of this process that have a history, found by who they are.
//!
//! An [`Identity`] only points to texts of the program, so it is first looked up by their addresses, which takes some
//! ten nanoseconds; only a function that is new there is looked up by its name.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};

use crate::error::Error;
use crate::fingerprint::{Identity, Site};
use crate::learn::directory::{self, Platform};
use crate::learn::function::Function;
use crate::learn::store::Store;
use crate::sync::lock;

/// The registry of this process. Its directory is taken from the environment when this is first called.
pub(crate) fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::new(Store::new(place())));
    &REGISTRY
}

/// The directory of histories; absolute, so that it stays the same when the program goes to another directory.
fn place() -> Option<PathBuf> {
    let place = directory::place(Platform::HERE, |name| std::env::var_os(name)).ok()?;
    Some(std::path::absolute(&place).unwrap_or(place))
}

#[derive(Debug)]
pub(crate) struct Registry {
    store: Arc<Store>,
    by_address: RwLock<HashMap<Address, Arc<Function>, BuildHasherDefault<Mix>>>,
    /// Functions by key; some have the same by chance.
    by_name: Mutex<HashMap<u64, Vec<Arc<Function>>, BuildHasherDefault<Mix>>>,
}

impl Registry {
    pub(crate) fn new(store: Store) -> Self {
        Self { store: Arc::new(store), by_address: RwLock::default(), by_name: Mutex::default() }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The function that is so called.
    pub(crate) fn function(&self, identity: &Identity) -> Arc<Function> {
        let address = Address::of(identity);
        let known = self.by_address.read().unwrap_or_else(PoisonError::into_inner).get(&address).cloned();
        known.unwrap_or_else(|| self.introduce(address, identity))
    }

    #[cold]
    fn introduce(&self, address: Address, identity: &Identity) -> Arc<Function> {
        let mut by_name = lock(&self.by_name);
        let namesakes = by_name.entry(identity.key()).or_default();
        let known = namesakes.iter().find(|function| function.identity().is_namesake(identity)).map(Arc::clone);
        let function = known.unwrap_or_else(|| {
            let new = Arc::new(Function::new(*identity, Arc::clone(&self.store)));
            namesakes.push(Arc::clone(&new));
            new
        });
        let mut by_address = self.by_address.write().unwrap_or_else(PoisonError::into_inner);
        by_address.insert(address, Arc::clone(&function));
        function
    }

    pub(crate) fn all(&self) -> Vec<Arc<Function>> {
        lock(&self.by_name).values().flatten().cloned().collect()
    }

    /// Writes what has been recorded so far at the end of a thread, which is not to wait for each function anew where
    /// somebody does not let go. On Windows that may be the end of the process, which has ended all other threads, and
    /// what they held is never let go.
    pub(crate) fn drain_at_end(&self) {
        let is_busy = |function: &Arc<Function>| {
            let written = if cfg!(windows) { function.try_drain().map(drop) } else { function.drain() };
            matches!(written, Err(Error::Busy { .. }))
        };
        let _ = self.all().iter().any(is_busy);
    }

    /// Writes everything that has been recorded so far; the first trouble, after trying all.
    pub(crate) fn drain(&self) -> Result<(), Error> {
        self.all().iter().map(|function| function.drain()).fold(Ok(()), Result::and)
    }
}

impl Function {
    /// The function that is so called.
    pub(crate) fn of(identity: &Identity) -> Arc<Self> {
        registry().function(identity)
    }
}

/// Where the texts of an identity are: address and length of each. Texts that never change are the same there for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Address {
    texts: [(usize, usize); 4],
    place: usize,
}

impl Address {
    fn of(identity: &Identity) -> Self {
        let Site { package, module, name, .. } = identity.site;
        let texts = [package, module, name, identity.types].map(|text| (text.as_ptr().addr(), text.len()));
        Self { texts, place: identity.place.map_or(0, |place| std::ptr::from_ref(place).addr()) }
    }
}

/// Mixes a few addresses, or a key, which nobody chooses to make them collide.
#[derive(Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_usize(byte.into()));
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
