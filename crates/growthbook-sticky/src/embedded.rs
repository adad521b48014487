//! Documents in a database file of one machine.

use std::{
    error::Error,
    fmt,
    fs::{File, OpenOptions},
    io, mem,
    num::NonZeroU64,
    path::{Path, PathBuf},
    process,
    sync::Arc,
};

use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};
use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition,
};

use crate::json;

/// How many documents an [`EmbeddedStickyBucketStore`] keeps by default: about 300 MB on disk with
/// a few assignments each.
pub const DEFAULT_EMBEDDED_DOCUMENTS: NonZeroU64 = NonZeroU64::new(1_000_000).unwrap();

/// How much of the file is kept in memory.
pub const EMBEDDED_CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Keeps documents in a database file: assignments survive a restart, without a server.
///
/// The file is created when there is none, on Unix for its owner only; its folder must exist. It
/// belongs to one process at a time: another that opens it gets an error, and so does the child of
/// a `fork()` that uses its parent's. Such a child leaves the file as it is, also when it drops the
/// store. Clones share the file.
///
/// A document that [`save`](StickyBucketStore::save) accepted is on disk: it survives the process
/// being killed at any moment, and a power failure. That costs a few milliseconds (an `fsync`);
/// put a `WriteBehind` (Cargo feature `write-behind`) around the store so that no request waits
/// for it. A save is a transaction that lays the assignments over those that are there: two threads
/// that assign at once lose nothing. One that changes nothing writes nothing.
///
/// The store is bounded: the document that was not changed for longest makes room for a new one.
///
/// A document that is corrupt is none, and the next save replaces it. A file that is no database
/// is an error of [`open`](EmbeddedStickyBucketStore::open). After an I/O error, such as a full
/// disk, writes fail until the store is opened again.
///
/// ```
/// use growthbook_core::sticky::StickyBucketStore;
/// use growthbook_sticky::EmbeddedStickyBucketStore;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("sticky.redb");
/// let store = EmbeddedStickyBucketStore::open(path)?;
/// assert_eq!(store.get_all(&[])?.iter().len(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct EmbeddedStickyBucketStore {
    inner: Arc<Inner>,
}

impl EmbeddedStickyBucketStore {
    /// Opens or creates a file for [`DEFAULT_EMBEDDED_DOCUMENTS`].
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, is in use, or is no database.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        EmbeddedStickyBucketStore::open_with_capacity(path, DEFAULT_EMBEDDED_DOCUMENTS)
    }

    /// Opens or creates a file for this many documents. Where there are more in it, some of them
    /// go with each save.
    ///
    /// # Errors
    ///
    /// As [`open`](EmbeddedStickyBucketStore::open).
    pub fn open_with_capacity(
        path: impl AsRef<Path>,
        capacity: NonZeroU64,
    ) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let database = open(path).map_err(|error| OpenError { path: path.into(), error })?;
        let inner = Inner { database, capacity, process: process::id() };
        Ok(EmbeddedStickyBucketStore { inner: Arc::new(inner) })
    }
}

/// The child of a fork closes nothing: that would write to the file, and unlock it, behind the
/// back of the parent.
impl Drop for EmbeddedStickyBucketStore {
    fn drop(&mut self) {
        if self.inner.is_left_behind() {
            // A handle that nobody drops.
            mem::forget(self.inner.clone());
        }
    }
}

impl StickyBucketStore for EmbeddedStickyBucketStore {
    fn get_all(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        self.inner.check_process()?;
        self.inner.load(keys).map_err(StickyBucketStoreError::new)
    }

    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        self.inner.check_process()?;
        self.inner.merge(document).map_err(StickyBucketStoreError::new)
    }
}

impl fmt::Debug for EmbeddedStickyBucketStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EmbeddedStickyBucketStore").finish_non_exhaustive()
    }
}

/// Why a file could not be opened. Its source is the database's own error.
#[derive(Debug)]
pub struct OpenError {
    path: PathBuf,
    error: redb::Error,
}

impl fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot open the sticky bucket file {}", self.path.display())
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

/// Attribute name and value.
type Key<'a> = (&'a str, &'a str);

/// When a document was last changed, as a place in `CHANGES`, and its JSON.
const DOCUMENTS: TableDefinition<'_, Key<'_>, (u64, &[u8])> = TableDefinition::new("documents");

/// The documents in the order of their last change.
const CHANGES: TableDefinition<'_, u64, Key<'_>> = TableDefinition::new("changes");

/// How many documents above the capacity a save removes, so that none takes long.
const REMOVED_PER_SAVE: u64 = 100;

struct Inner {
    database: Database,
    capacity: NonZeroU64,
    process: u32,
}

impl Inner {
    fn load(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, redb::Error> {
        let documents = self.database.begin_read()?.open_table(DOCUMENTS)?;
        let mut buckets = StickyBuckets::new();
        for key in keys {
            if let Some(stored) = documents.get((&*key.attribute_name, &*key.attribute_value))? {
                let (_, json) = stored.value();
                buckets.merge(json::decode(key, json));
            }
        }
        Ok(buckets)
    }

    fn merge(&self, document: &StickyBucketDocument) -> Result<(), redb::Error> {
        let key = document.key();
        let place = (&*key.attribute_name, &*key.attribute_value);
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        {
            let mut documents = transaction.open_table(DOCUMENTS)?;
            let mut changes = transaction.open_table(CHANGES)?;

            let (changed_at, existing) = match documents.get(place)? {
                Some(stored) => {
                    let (changed_at, json) = stored.value();
                    (Some(changed_at), json::decode(&key, json))
                }
                None => (None, None),
            };
            let mut merged =
                existing.clone().unwrap_or_else(|| StickyBucketDocument::new(key.clone()));
            merged.assignments.extend(document.assignments.clone());
            if existing.as_ref() == Some(&merged) {
                // Ends the transaction.
                return Ok(());
            }

            if let Some(changed_at) = changed_at {
                changes.remove(changed_at)?;
            }
            let newest = changes.last()?.map_or(0, |(change, _)| change.value());
            let change = newest.saturating_add(1);
            changes.insert(change, place)?;
            documents.insert(place, (change, json::encode(&merged).as_bytes()))?;

            for _ in 0..REMOVED_PER_SAVE {
                if documents.len()? <= self.capacity.get() {
                    break;
                }
                let Some((_, oldest)) = changes.pop_first()? else { break };
                documents.remove(oldest.value())?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// The child of a fork shares the file with its parent, and neither knows what the other
    /// writes.
    fn check_process(&self) -> Result<(), StickyBucketStoreError> {
        if self.is_left_behind() {
            return Err(StickyBucketStoreError::new(
                "the store was opened before a fork, by the parent",
            ));
        }
        Ok(())
    }

    /// Whether this is the child of the process that opened it.
    fn is_left_behind(&self) -> bool {
        self.process != process::id()
    }
}

fn open(path: &Path) -> Result<Database, redb::Error> {
    let database =
        Database::builder().set_cache_size(EMBEDDED_CACHE_BYTES).create_file(open_file(path)?)?;
    let transaction = database.begin_write()?;
    transaction.open_table(DOCUMENTS)?;
    transaction.open_table(CHANGES)?;
    transaction.commit()?;
    Ok(database)
}

fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use std::{fs, thread};

    use tempfile::TempDir;

    use super::*;
    use crate::testing::{document, key};

    #[test]
    fn assignments_are_merged_and_survive() {
        let (_folder, path) = file();
        let store = EmbeddedStickyBucketStore::open(&path).unwrap();
        store.save(&document("id", "1", &[("a__0", "0"), ("b__0", "0")])).unwrap();
        store.clone().save(&document("id", "1", &[("b__0", "1"), ("c__0", "2")])).unwrap();
        drop(store);
        let store = EmbeddedStickyBucketStore::open(&path).unwrap();
        let buckets = store.get_all(&[key("id", "1"), key("id", "2")]).unwrap();
        assert_eq!(buckets.iter().len(), 1);
        assert_eq!(
            buckets.get("id", "1"),
            Some(&document("id", "1", &[("a__0", "0"), ("b__0", "1"), ("c__0", "2")])),
        );
    }

    #[test]
    fn threads_that_assign_at_once_lose_nothing() {
        let (_folder, path) = file();
        let store = EmbeddedStickyBucketStore::open(path).unwrap();
        thread::scope(|scope| {
            for thread in 0..8 {
                let store = store.clone();
                scope.spawn(move || {
                    for experiment in 0..5 {
                        let name = format!("{thread}-{experiment}__0");
                        store.save(&document("id", "1", &[(&name, "0")])).unwrap();
                    }
                });
            }
        });
        let buckets = store.get_all(&[key("id", "1")]).unwrap();
        assert_eq!(buckets.get("id", "1").unwrap().assignments.len(), 40);
    }

    #[test]
    fn the_least_recently_changed_goes_first() {
        let (_folder, path) = file();
        let store =
            EmbeddedStickyBucketStore::open_with_capacity(&path, NonZeroU64::new(3).unwrap())
                .unwrap();
        for value in ["1", "2", "3"] {
            store.save(&document("id", value, &[("a__0", "0")])).unwrap();
        }
        store.save(&document("id", "1", &[("b__0", "0")])).unwrap();
        // Changes nothing, and counts as nothing.
        store.save(&document("id", "2", &[("a__0", "0")])).unwrap();
        store.save(&document("id", "4", &[("a__0", "0")])).unwrap();
        assert_eq!(kept(&store), ["1", "3", "4"]);
        drop(store);

        let store = EmbeddedStickyBucketStore::open_with_capacity(&path, NonZeroU64::MIN).unwrap();
        store.save(&document("id", "5", &[("a__0", "0")])).unwrap();
        assert_eq!(kept(&store), ["5"]);
    }

    #[test]
    fn a_corrupt_document_is_none_and_is_replaced() {
        let (_folder, path) = file();
        let store = EmbeddedStickyBucketStore::open(path).unwrap();
        let transaction = store.inner.database.begin_write().unwrap();
        {
            let mut documents = transaction.open_table(DOCUMENTS).unwrap();
            documents.insert(("id", "1"), (7, b"\xff garbage".as_slice())).unwrap();
        }
        transaction.commit().unwrap();
        assert!(kept(&store).is_empty());
        store.save(&document("id", "1", &[("a__0", "0")])).unwrap();
        assert_eq!(kept(&store), ["1"]);
    }

    #[test]
    fn a_file_in_use_or_of_another_kind_is_an_error() {
        let (folder, path) = file();
        let _store = EmbeddedStickyBucketStore::open(&path).unwrap();
        assert!(EmbeddedStickyBucketStore::open(&path).is_err());
        let garbage = folder.path().join("garbage");
        fs::write(&garbage, "not a database".repeat(1000)).unwrap();
        let error = EmbeddedStickyBucketStore::open(&garbage).unwrap_err();
        assert!(error.to_string().contains("garbage") && error.source().is_some());
        assert!(EmbeddedStickyBucketStore::open(folder.path().join("no/folder")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_its_owner() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, path) = file();
        drop(EmbeddedStickyBucketStore::open(&path).unwrap());
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    fn file() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sticky.redb");
        (folder, path)
    }

    /// Which of the users 1 to 9 there are.
    fn kept(store: &EmbeddedStickyBucketStore) -> Vec<String> {
        let keys: Vec<StickyBucketKey> = (1..10).map(|user| key("id", &user.to_string())).collect();
        let buckets = store.get_all(&keys).unwrap();
        buckets.iter().map(|document| document.attribute_value.to_string()).collect()
    }
}
