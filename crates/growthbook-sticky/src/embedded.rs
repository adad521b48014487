//! The store in a database file.

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

use crate::document_json;

/// The default number of documents that an [`EmbeddedStickyBucketStore`] keeps. They take about
/// 300 MB on disk with a few assignments each.
pub const DEFAULT_EMBEDDED_DOCUMENTS: NonZeroU64 = NonZeroU64::new(1_000_000).unwrap();

/// The largest part of the file that is cached in memory, in bytes.
pub const EMBEDDED_CACHE_BYTES: usize = 16 * 1024 * 1024;

/// A store in a database file: assignments survive a restart, without a server.
///
/// - The file is created if it does not exist. On Unix only its owner can read it. Its folder must
///   exist.
/// - One process at a time can open the file. A second process gets an error from
///   [`open`](EmbeddedStickyBucketStore::open). Clones share the file.
/// - A saved document is on disk: it survives a kill of the process and a power failure. That
///   takes a few milliseconds (an `fsync`). Put a `WriteBehind` (Cargo feature `write-behind`)
///   around the store if requests must not wait for it.
/// - A save is a transaction that merges its assignments into the stored document. So two threads
///   that enroll one user at the same time lose nothing. A save that changes nothing writes nothing.
/// - The store is bounded: a new document replaces the document that has not changed for longest.
/// - A corrupt document counts as missing, and the next save replaces it. A file that is not a
///   database is an error of [`open`](EmbeddedStickyBucketStore::open).
/// - After an I/O error, such as a full disk, saves fail until the store is opened again.
/// - The child of a `fork()` cannot use its parent's store: calls return an error. Dropping it in
///   the child does not touch the file.
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
    /// Opens or creates a file for [`DEFAULT_EMBEDDED_DOCUMENTS`] documents.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, is in use, or is not a database.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        EmbeddedStickyBucketStore::open_with_capacity(path, DEFAULT_EMBEDDED_DOCUMENTS)
    }

    /// Opens or creates a file for this many documents. If the file has more, each save removes some
    /// of them.
    ///
    /// # Errors
    ///
    /// The same as for [`open`](EmbeddedStickyBucketStore::open).
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

/// The child of a fork does not close the database: that would write to the file and unlock it while
/// the parent uses it.
impl Drop for EmbeddedStickyBucketStore {
    fn drop(&mut self) {
        if self.inner.is_in_forked_child() {
            // Leaks one handle, so that the database is never closed here.
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

/// The reason why a file could not be opened. Its source is the error of the database.
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

/// The attribute name and the attribute value of a document.
type Key<'a> = (&'a str, &'a str);

/// For each document: the key of its last change in `CHANGES`, and its JSON.
const DOCUMENTS: TableDefinition<'_, Key<'_>, (u64, &[u8])> = TableDefinition::new("documents");

/// The documents in the order of their last change.
const CHANGES: TableDefinition<'_, u64, Key<'_>> = TableDefinition::new("changes");

/// The most documents that one save removes, so that no save takes long.
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
                buckets.merge(document_json::decode(key, json));
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
                    (Some(changed_at), document_json::decode(&key, json))
                }
                None => (None, None),
            };
            let mut merged =
                existing.clone().unwrap_or_else(|| StickyBucketDocument::new(key.clone()));
            merged.assignments.extend(document.assignments.clone());
            if existing.as_ref() == Some(&merged) {
                // Nothing changed. Dropping the transaction aborts it.
                return Ok(());
            }

            if let Some(changed_at) = changed_at {
                changes.remove(changed_at)?;
            }
            let newest = changes.last()?.map_or(0, |(change, _)| change.value());
            let change = newest.saturating_add(1);
            changes.insert(change, place)?;
            documents.insert(place, (change, document_json::encode(&merged).as_bytes()))?;

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

    /// Fails in the child of a fork. It shares the file with its parent, and neither process sees the
    /// writes of the other.
    fn check_process(&self) -> Result<(), StickyBucketStoreError> {
        if self.is_in_forked_child() {
            return Err(StickyBucketStoreError::new(
                "the parent process opened the sticky bucket file; a forked process cannot use it",
            ));
        }
        Ok(())
    }

    /// Returns whether this process is not the one that opened the file.
    fn is_in_forked_child(&self) -> bool {
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
    use crate::test_documents::{document, key};

    #[test]
    fn assignments_are_merged_and_survive_reopening() {
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
    fn concurrent_saves_lose_nothing() {
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
    fn least_recently_changed_document_is_replaced() {
        let (_folder, path) = file();
        let store =
            EmbeddedStickyBucketStore::open_with_capacity(&path, NonZeroU64::new(3).unwrap())
                .unwrap();
        for value in ["1", "2", "3"] {
            store.save(&document("id", value, &[("a__0", "0")])).unwrap();
        }
        store.save(&document("id", "1", &[("b__0", "0")])).unwrap();
        // This save changes nothing, so the document does not become newer.
        store.save(&document("id", "2", &[("a__0", "0")])).unwrap();
        store.save(&document("id", "4", &[("a__0", "0")])).unwrap();
        assert_eq!(kept(&store), ["1", "3", "4"]);
        drop(store);

        let store = EmbeddedStickyBucketStore::open_with_capacity(&path, NonZeroU64::MIN).unwrap();
        store.save(&document("id", "5", &[("a__0", "0")])).unwrap();
        assert_eq!(kept(&store), ["5"]);
    }

    #[test]
    fn corrupt_document_is_ignored_and_replaced() {
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
    fn unusable_file_is_an_error() {
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
    fn only_the_owner_can_access_the_file() {
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

    /// Returns which of the users 1 to 9 have a document.
    fn kept(store: &EmbeddedStickyBucketStore) -> Vec<String> {
        let keys: Vec<StickyBucketKey> = (1..10).map(|user| key("id", &user.to_string())).collect();
        let buckets = store.get_all(&keys).unwrap();
        buckets.iter().map(|document| document.attribute_value.to_string()).collect()
    }
}
