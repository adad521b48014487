//! The store in a database file. Read `file`, then `reopening`.

mod error;
mod file;
mod reopening;

use std::{
    fmt, mem,
    num::NonZeroU64,
    path::Path,
    process,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};

pub use error::{EmbeddedStoreError, EmbeddedStoreErrorKind};
use file::DatabaseFile;
use reopening::{Next, Slot};

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
/// - A corrupt document counts as missing, and the next save replaces it.
/// - Opening checks the whole file, which takes about a second for a million documents. A damaged
///   file is an error that [says what to do](EmbeddedStoreError). Panics of the database `redb` are
///   contained, unless the program is built with `panic = "abort"`.
/// - After a failure, such as a full disk, calls fail at once during a pause. The pause lasts 100 ms
///   at first, and up to 5 s after repeated failures. Then the store opens the file again. So it
///   recovers when the disk has space again, and when a damaged file was removed.
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
    /// When the file cannot be opened, is in use, is damaged, or is not a database.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EmbeddedStoreError> {
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
    ) -> Result<Self, EmbeddedStoreError> {
        let path = Arc::from(path.as_ref());
        let slot = Mutex::new(Slot::new(DatabaseFile::open(&path)?));
        let inner = Inner { path, slot, capacity, process: process::id() };
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
        self.inner.call(|file| file.load(keys)).map_err(StickyBucketStoreError::new)
    }

    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        let capacity = self.inner.capacity;
        let saved = self.inner.call(|file| file.merge(document, capacity));
        saved.map_err(StickyBucketStoreError::new)
    }
}

impl fmt::Debug for EmbeddedStickyBucketStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EmbeddedStickyBucketStore").finish_non_exhaustive()
    }
}

struct Inner {
    path: Arc<Path>,
    slot: Mutex<Slot<DatabaseFile>>,
    capacity: NonZeroU64,
    process: u32,
}

impl Inner {
    /// Uses the file, which is opened again if it failed and the pause is over.
    fn call<T>(
        &self,
        call: impl FnOnce(&DatabaseFile) -> Result<T, EmbeddedStoreError>,
    ) -> Result<T, EmbeddedStoreError> {
        // Both processes share the file, and neither sees the writes of the other.
        if self.is_in_forked_child() {
            return Err(EmbeddedStoreError::new(&self.path, EmbeddedStoreErrorKind::Forked));
        }
        let file = self.file()?;
        let result = call(&file);
        if result.as_ref().is_err_and(EmbeddedStoreError::is_failure_of_file) {
            let failed = self.lock().failed(&file, Instant::now());
            // The file closes with the last of its users, and not under the lock.
            drop(failed);
        }
        result
    }

    fn file(&self) -> Result<Arc<DatabaseFile>, EmbeddedStoreError> {
        let next = self.lock().next(Instant::now());
        match next {
            Next::Use(file) => Ok(file),
            Next::Pause => {
                Err(EmbeddedStoreError::new(&self.path, EmbeddedStoreErrorKind::Pausing))
            }
            Next::Open => match DatabaseFile::open(&self.path) {
                Ok(file) => Ok(self.lock().opened(file)),
                Err(error) => {
                    self.lock().not_opened(Instant::now());
                    Err(error)
                }
            },
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slot<DatabaseFile>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether this process is not the one that opened the file.
    fn is_in_forked_child(&self) -> bool {
        self.process != process::id()
    }
}

#[cfg(test)]
mod tests {
    use std::{error::Error, fs, path::PathBuf, thread, time::Duration};

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
        store.inner.file().unwrap().insert_raw(("id", "1"), 7, b"\xff garbage");
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

    #[test]
    fn store_recovers_when_a_damaged_file_is_removed() {
        let (_folder, path) = file();
        let store = EmbeddedStickyBucketStore::open(&path).unwrap();
        let kind = || {
            let error = store.save(&document("id", "1", &[("a__0", "0")])).err()?;
            error.source()?.downcast_ref::<EmbeddedStoreError>().map(EmbeddedStoreError::kind)
        };
        let eventually = |expected| {
            let start = Instant::now();
            while kind() != expected {
                assert!(start.elapsed() < Duration::from_secs(60), "{:?}", kind());
                thread::sleep(Duration::from_millis(5));
            }
        };
        let file = store.inner.file().unwrap();
        store.inner.lock().failed(&file, Instant::now());
        drop(file);
        fs::write(&path, "garbage".repeat(1000)).unwrap();
        eventually(Some(EmbeddedStoreErrorKind::Damaged));
        fs::remove_file(&path).unwrap();
        eventually(None);
        assert_eq!(kept(&store), ["1"]);
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
