//! A database file and its two tables.
//!
//! The database panics on some damaged files. All its code runs in [`contain`], also when the file
//! is closed.

use std::{
    fs::{File, OpenOptions},
    io,
    num::NonZeroU64,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey, StickyBuckets};
use growthbook_support::contain;
use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, ReadableTableMetadata, StorageBackend,
    TableDefinition, TableError, backends::FileBackend,
};

use super::{EMBEDDED_CACHE_BYTES, error::EmbeddedStoreError};
use crate::document_json;

/// The attribute name and the attribute value of a document.
type Key<'a> = (&'a str, &'a str);

/// For each document: the key of its last change in `CHANGES`, and its JSON.
const DOCUMENTS: TableDefinition<'_, Key<'_>, (u64, &[u8])> = TableDefinition::new("documents");

/// The documents in the order of their last change.
const CHANGES: TableDefinition<'_, u64, Key<'_>> = TableDefinition::new("changes");

/// The most documents that one save removes, so that no save takes long.
const REMOVED_PER_SAVE: u64 = 100;

/// An open file.
pub(super) struct DatabaseFile {
    path: Arc<Path>,
    /// `None` only while it is dropped.
    database: Option<Database>,
    /// Held by a save. A thread must not wait inside the database for a save that panicked.
    saving: Mutex<()>,
    /// Whether a use failed, so that what the database has in memory may be wrong.
    has_failed: AtomicBool,
}

impl DatabaseFile {
    pub(super) fn open(path: &Arc<Path>) -> Result<Self, EmbeddedStoreError> {
        let database = call(path, || open(path))?;
        Ok(DatabaseFile {
            path: path.clone(),
            database: Some(database),
            saving: Mutex::new(()),
            has_failed: AtomicBool::new(false),
        })
    }

    pub(super) fn load(
        &self,
        keys: &[StickyBucketKey],
    ) -> Result<StickyBuckets, EmbeddedStoreError> {
        self.call(|database| load(database, keys))
    }

    /// Merges a document into the stored one.
    pub(super) fn merge(
        &self,
        document: &StickyBucketDocument,
        capacity: NonZeroU64,
    ) -> Result<(), EmbeddedStoreError> {
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        self.call(|database| merge(database, document, capacity))
    }

    fn call<T>(
        &self,
        use_database: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, EmbeddedStoreError> {
        let closed = || Err(redb::Error::DatabaseClosed);
        // A save that waited for one that failed must not write.
        let database = self.database.as_ref().filter(|_| !self.has_failed.load(Ordering::Acquire));
        let result = call(&self.path, || database.map_or_else(closed, use_database));
        if result.as_ref().is_err_and(EmbeddedStoreError::is_failure_of_file) {
            self.has_failed.store(true, Ordering::Release);
        }
        result
    }
}

#[cfg(test)]
impl DatabaseFile {
    /// Stores bytes in place of a document.
    pub(super) fn insert_raw(&self, key: Key<'_>, change: u64, json: &[u8]) {
        let transaction = self.database.as_ref().unwrap().begin_write().unwrap();
        transaction.open_table(DOCUMENTS).unwrap().insert(key, (change, json)).unwrap();
        transaction.commit().unwrap();
    }
}

impl Drop for DatabaseFile {
    fn drop(&mut self) {
        let database = self.database.take();
        if *self.has_failed.get_mut() {
            abandon(database);
        } else {
            // The next opening repairs a file that was not closed.
            let _ = contain(|| drop(database));
        }
    }
}

/// Closes a database without writing to the file. The next opening then repairs the file, and trusts
/// nothing that was in memory.
fn abandon(database: Option<Database>) {
    if cfg!(panic = "unwind") {
        // The database writes nothing if it is dropped during a panic. This one prints no message.
        let _ = catch_unwind(AssertUnwindSafe(move || {
            let _dropped_meanwhile = database;
            resume_unwind(Box::new(()));
        }));
    }
}

/// Calls the database. A panic is an error.
fn call<T>(
    path: &Arc<Path>,
    use_database: impl FnOnce() -> Result<T, redb::Error>,
) -> Result<T, EmbeddedStoreError> {
    match contain(use_database) {
        Ok(result) => result.map_err(|error| EmbeddedStoreError::of(path, error)),
        Err(_) => Err(EmbeddedStoreError::of_panic(path)),
    }
}

/// Opens a file, which the database checks as a whole.
fn open(path: &Path) -> Result<Database, redb::Error> {
    let file = FileBackend::new(open_file(path)?)?;
    require_check(&file)?;
    let database =
        Database::builder().set_cache_size(EMBEDDED_CACHE_BYTES).create_with_backend(file)?;
    // A file with tables can be opened even if the disk is full.
    if !has_tables(&database)? {
        let transaction = database.begin_write()?;
        transaction.open_table(DOCUMENTS)?;
        transaction.open_table(CHANGES)?;
        transaction.commit()?;
    }
    Ok(database)
}

/// Lets the database check the whole file, as it does after a crash.
///
/// Otherwise it trusts a file that was closed, and a damaged link between pages lets it allocate up
/// to terabytes, which ends the process. The check follows only links whose checksum is right.
fn require_check(file: &FileBackend) -> io::Result<()> {
    // From the description of the file format. The flags follow the magic number.
    const MAGIC_NUMBER: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";
    const RECOVERY_REQUIRED: u8 = 2;
    /// The last commit may be trusted without a check.
    const TWO_PHASE_COMMIT: u8 = 4;
    const FLAGS_AT: u64 = MAGIC_NUMBER.len() as u64;
    if file.len()? <= FLAGS_AT {
        return Ok(());
    }
    let (mut magic_number, mut flags) = ([0; MAGIC_NUMBER.len()], [0; 1]);
    file.read(0, &mut magic_number)?;
    file.read(FLAGS_AT, &mut flags)?;
    if magic_number == MAGIC_NUMBER {
        file.write(FLAGS_AT, &flags.map(|flags| (flags | RECOVERY_REQUIRED) & !TWO_PHASE_COMMIT))?;
    }
    Ok(())
}

fn has_tables(database: &Database) -> Result<bool, redb::Error> {
    let transaction = database.begin_read()?;
    let found =
        [transaction.open_table(DOCUMENTS).map(drop), transaction.open_table(CHANGES).map(drop)];
    for table in found {
        match table {
            Ok(()) => {}
            Err(TableError::TableDoesNotExist(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}

fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn load(database: &Database, keys: &[StickyBucketKey]) -> Result<StickyBuckets, redb::Error> {
    let documents = database.begin_read()?.open_table(DOCUMENTS)?;
    let mut buckets = StickyBuckets::new();
    for key in keys {
        if let Some(stored) = documents.get((&*key.attribute_name, &*key.attribute_value))? {
            let (_, json) = stored.value();
            buckets.merge(document_json::decode(key, json));
        }
    }
    Ok(buckets)
}

fn merge(
    database: &Database,
    document: &StickyBucketDocument,
    capacity: NonZeroU64,
) -> Result<(), redb::Error> {
    let key = document.key();
    let place = (&*key.attribute_name, &*key.attribute_value);
    let mut transaction = database.begin_write()?;
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
        let mut merged = existing.clone().unwrap_or_else(|| StickyBucketDocument::new(key.clone()));
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
            if documents.len()? <= capacity.get() {
                break;
            }
            let Some((_, oldest)) = changes.pop_first()? else { break };
            documents.remove(oldest.value())?;
        }
    }
    transaction.commit()?;
    Ok(())
}
