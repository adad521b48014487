//! The file cache: what it keeps, which files it ignores, and what happens when the disk is full, a
//! writer is killed, or several processes write at once.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    iter,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, Once,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, SystemTime},
};

use growthbook_core::PayloadSource;
use growthbook_core::cache::{
    CachedPayload, PayloadCache, PayloadCacheError, PayloadKey, UnixMillis,
};
use growthbook_fetch::FileCache;
use tempfile::TempDir;

const HOST: &str = "https://cdn.growthbook.io";
const CLIENT_KEY: &str = "sdk-secret";

/// The position of the time in a file.
const TIME: std::ops::Range<usize> = 32..48;

#[test]
fn put_payload_is_read_back() {
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    assert_eq!(cache.get(&key()).unwrap(), None);
    for document in ["", "{}", "{\"ключ\": \"🎏 \\u0000\"}\r\n"] {
        for etag in [None, Some(""), Some("W/\"ü\"")] {
            let payload = CachedPayload {
                document: document.into(),
                etag: etag.map(Into::into),
                streaming: etag.is_some(),
                fetched_at: 7,
            };
            cache.put(&key(), &payload).unwrap();
            assert_eq!(cache.get(&key()).unwrap(), Some(payload));
        }
    }
    assert_eq!(cache.source(), PayloadSource::File);
}

#[test]
fn large_payload_is_kept() {
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    let payload = CachedPayload { document: "größer ".repeat(600_000).into(), ..payload("") };
    assert!(payload.document.len() > 5_000_000);
    cache.put(&key(), &payload).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(payload));
}

#[test]
fn another_instance_reads_the_payload() {
    let directory = TempDir::new().unwrap();
    FileCache::new(directory.path()).put(&key(), &payload("{}")).unwrap();
    let kept = FileCache::new(directory.path()).get(&key()).unwrap();
    assert_eq!(kept, Some(payload("{}")));
}

#[test]
fn each_key_has_its_payload() {
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    let keys = [("a", "bc"), ("ab", "c"), ("a", "b"), ("a/", "b")]
        .map(|(host, client_key)| PayloadKey::new(host, client_key));
    for (time, key) in keys.iter().enumerate() {
        cache.put(key, &numbered(time as u64)).unwrap();
    }
    for (time, key) in keys.iter().enumerate() {
        assert_eq!(cache.get(key).unwrap(), Some(numbered(time as u64)));
    }
}

#[test]
fn file_has_neither_host_nor_client_key() {
    let directory = TempDir::new().unwrap();
    FileCache::new(directory.path()).put(&key(), &payload("{}")).unwrap();
    let path = only_file(directory.path());
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("growthbook-") && name.ends_with(".payload"), "{name}");
    for secret in ["sdk-secret", "secret", "cdn.growthbook.io"] {
        assert!(!name.contains(secret));
        assert!(
            !fs::read(&path).unwrap().windows(secret.len()).any(|bytes| bytes == secret.as_bytes())
        );
    }
}

#[test]
fn first_payload_creates_the_directory() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("a/b");
    let cache = FileCache::new(&directory);
    assert_eq!(cache.get(&key()).unwrap(), None);
    cache.confirm(&key(), &confirmed_at(1)).unwrap();
    assert!(!parent.path().join("a").exists());
    cache.put(&key(), &payload("{}")).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(payload("{}")));
    #[cfg(unix)]
    for path in [parent.path().join("a"), directory.clone(), only_file(&directory)] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{path:?}");
    }
}

#[test]
fn truncated_file_is_ignored() {
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    cache.put(&key(), &payload("{\"features\": {}}")).unwrap();
    let path = only_file(directory.path());
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(cache.get(&key()).unwrap(), None, "{length}");
        cache.confirm(&key(), &confirmed_at(1)).unwrap();
        assert_eq!(cache.get(&key()).unwrap(), None, "{length}");
    }
    fs::write(&path, [&whole[..], b" "].concat()).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), None);
    cache.put(&key(), &payload("{}")).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(payload("{}")));
}

#[test]
fn file_with_a_flipped_bit_is_ignored() {
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    let payload = payload("{\"features\": {}}");
    cache.put(&key(), &payload).unwrap();
    let path = only_file(directory.path());
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        for flipped in (0..8).map(|bit| 1 << bit).chain([0xff]) {
            let mut file = whole.clone();
            file[at] ^= flipped;
            fs::write(&path, file).unwrap();
            // A wrong bit in the time loses only the time.
            let expected =
                TIME.contains(&at).then(|| CachedPayload { fetched_at: 0, ..payload.clone() });
            assert_eq!(cache.get(&key()).unwrap(), expected, "{at} {flipped:#x}");
        }
    }
}

#[test]
fn file_of_another_key_is_ignored() {
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    cache.put(&key(), &payload("{\"secret\": 1}")).unwrap();
    let foreign = fs::read(only_file(directory.path())).unwrap();
    fs::remove_file(only_file(directory.path())).unwrap();
    let other = PayloadKey::new(HOST, "sdk-other");
    cache.put(&other, &payload("{}")).unwrap();
    fs::write(only_file(directory.path()), foreign).unwrap();
    assert_eq!(cache.get(&other).unwrap(), None);
}

#[test]
fn file_of_another_version_is_left_alone() {
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    cache.put(&key(), &payload("{}")).unwrap();
    let path = only_file(directory.path());
    let mut file = fs::read(&path).unwrap();
    file[16] = 2;
    fs::write(&path, &file).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), None);
    cache.confirm(&key(), &confirmed_at(1)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), file);
}

#[test]
fn too_large_payload_is_refused() {
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    cache.put(&key(), &payload("{}")).unwrap();

    let too_large =
        CachedPayload { document: "x".repeat(64 * 1024 * 1024 - 80).into(), ..payload("") };
    let error = cache.put(&key(), &too_large).unwrap_err();
    assert_eq!(kind(&error), io::ErrorKind::FileTooLarge);
    assert_eq!(cache.get(&key()).unwrap(), Some(payload("{}")));

    let path = only_file(directory.path());
    File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), None);
}

#[test]
fn corrupt_file_is_logged_once() {
    struct Messages(Mutex<Vec<String>>);
    impl log::Log for Messages {
        fn enabled(&self, _metadata: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &log::Record<'_>) {
            let message = format!("{} {}: {}", record.level(), record.target(), record.args());
            self.0.lock().unwrap().push(message);
        }

        fn flush(&self) {}
    }
    static MESSAGES: Messages = Messages(Mutex::new(Vec::new()));
    static LOGGER: Once = Once::new();
    LOGGER.call_once(|| {
        log::set_logger(&MESSAGES).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });

    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    cache.put(&key(), &payload("{\"secret\": 1}")).unwrap();
    let path = only_file(directory.path());
    File::options().append(true).open(&path).unwrap().write_all(b"secret").unwrap();
    for _ in 0..3 {
        assert_eq!(cache.get(&key()).unwrap(), None);
    }
    let mut messages = MESSAGES.0.lock().unwrap().clone();
    messages.retain(|message| message.contains(path.to_str().unwrap()));
    let [message] = &messages[..] else { panic!("{messages:?}") };
    assert!(message.starts_with("WARN growthbook: "), "{message}");
    assert!(!message.contains("secret"), "{message}");
}

#[test]
fn confirming_changes_the_age_only() {
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    cache.put(&key(), &payload("{}")).unwrap();
    let path = only_file(directory.path());
    let before = (fs::read(&path).unwrap(), identity(&path));
    for fetched_at in [1_900_000_000_000, 5, 0, u64::MAX] {
        cache.confirm(&key(), &confirmed_at(fetched_at)).unwrap();
        let expected = CachedPayload { fetched_at, ..payload("{}") };
        assert_eq!(cache.get(&key()).unwrap(), Some(expected));
    }
    let mut after = fs::read(&path).unwrap();
    after[TIME].copy_from_slice(&before.0[TIME]);
    assert_eq!((after, identity(&path)), before);
}

#[test]
fn any_fetch_time_is_kept() {
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    let in_a_year = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64 + 31_536_000_000;
    for fetched_at in [0, in_a_year, i64::MAX as u64 + 1, u64::MAX] {
        let payload = CachedPayload { fetched_at, ..payload("{}") };
        cache.put(&key(), &payload).unwrap();
        assert_eq!(cache.get(&key()).unwrap(), Some(payload));
    }
    // The file's modification time does not count: copying changes it.
    let path = only_file(directory.path());
    set_age(&path, Duration::from_secs(31_536_000));
    assert_eq!(cache.get(&key()).unwrap().unwrap().fetched_at, u64::MAX);
}

#[test]
fn other_files_are_left_alone() {
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    let foreign = ["notes.tmp", "growthbook-notes.tmp", "growthbook-notes", "x.payload.tmp"];
    let recent = "growthbook-1-0123456789abcdef.payload.tmp";
    for name in foreign {
        fs::write(directory.path().join(name), name).unwrap();
        set_age(&directory.path().join(name), Duration::from_secs(1_000_000));
    }
    fs::write(directory.path().join(recent), recent).unwrap();
    set_age(&directory.path().join(recent), Duration::from_secs(500));
    cache.put(&key(), &payload("{}")).unwrap();
    for name in foreign.into_iter().chain([recent]) {
        assert_eq!(fs::read_to_string(directory.path().join(name)).unwrap(), name);
    }
    assert_eq!(files(directory.path()).len(), foreign.len() + 2);

    set_age(&directory.path().join(recent), Duration::from_secs(700));
    cache.put(&key(), &payload("{}")).unwrap();
    assert!(!directory.path().join(recent).exists());
    assert_eq!(files(directory.path()).len(), foreign.len() + 1);
}

/// A process that is killed and started again and again may never put a payload.
#[test]
fn first_get_removes_old_leftovers() {
    let directory = TempDir::new().unwrap();
    let old = directory.path().join("growthbook-1-0123456789abcdef.payload.tmp");
    let recent = directory.path().join("growthbook-2-0123456789abcdef.payload.tmp");
    for (file, age) in [(&old, 700), (&recent, 500)] {
        fs::write(file, "cut off").unwrap();
        set_age(file, Duration::from_secs(age));
    }
    FileCache::new(directory.path()).get(&key()).unwrap();
    assert_eq!(files(directory.path()), [recent]);
}

#[test]
fn file_in_place_of_the_directory_is_an_error() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("cache");
    fs::write(&directory, "a file").unwrap();
    let cache = FileCache::new(&directory);
    let error = cache.put(&key(), &payload("{}")).unwrap_err();
    assert_has_no_secret(&error);
    #[cfg(unix)]
    {
        let not_a_directory = io::ErrorKind::NotADirectory;
        assert_eq!(kind(&cache.get(&key()).unwrap_err()), not_a_directory);
        assert_eq!(kind(&cache.confirm(&key(), &confirmed_at(1)).unwrap_err()), not_a_directory);
    }
    assert_eq!(fs::read_to_string(&directory).unwrap(), "a file");
}

/// Opening a FIFO would wait for a writer, and reading a device would never end.
#[test]
fn other_kind_of_file_is_refused_at_once() {
    type Make = fn(&Path);
    let mut kinds: Vec<(&str, Make)> = vec![("a directory", |path| fs::create_dir(path).unwrap())];
    #[cfg(unix)]
    kinds.extend([
        ("a FIFO", (|path| assert!(run("mkfifo", path).success())) as Make),
        ("a socket", |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap())),
        ("a device", |path| std::os::unix::fs::symlink("/dev/zero", path).unwrap()),
    ]);
    for (name, make) in kinds {
        // The path of a socket has to be short.
        let directory = TempDir::new().unwrap();
        let cache = FileCache::new(directory.path());
        cache.put(&key(), &payload("{}")).unwrap();
        let path = only_file(directory.path());
        fs::remove_file(&path).unwrap();
        make(&path);
        let (sender, errors) = mpsc::channel();
        thread::spawn(move || {
            let _ = sender.send([
                cache.get(&key()).unwrap_err(),
                cache.put(&key(), &payload("{}")).unwrap_err(),
                cache.confirm(&key(), &confirmed_at(1)).unwrap_err(),
            ]);
        });
        let errors = errors.recv_timeout(Duration::from_secs(60));
        for error in errors.unwrap_or_else(|_| panic!("a method waits for {name}")) {
            assert_has_no_secret(&error);
            let text = chain(&error).last().unwrap().to_string();
            assert_eq!(text, format!("it is {name}, not a regular file; remove it"));
        }
        assert_eq!(files(directory.path()), [path]);
    }
}

/// Runs a program with a path as its argument.
#[cfg(unix)]
fn run(program: &str, path: &Path) -> std::process::ExitStatus {
    Command::new(program).arg(path).status().unwrap()
}

/// A file with holes may look larger than the disk.
#[test]
fn overlong_file_is_read_up_to_the_limit() {
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    cache.put(&key(), &payload("{}")).unwrap();
    let path = only_file(directory.path());
    File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), None);
    cache.put(&key(), &payload("{}")).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(payload("{}")));
}

/// A process that may write only one block to a file fails halfway, as on a full disk.
#[cfg(unix)]
#[test]
fn full_disk_keeps_the_old_payload() {
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    cache.put(&key(), &payload("{\"old\": 1}")).unwrap();
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""])
        .arg(env::current_exe().unwrap())
        .args(CHILD_ARGUMENTS)
        .envs([("CACHE_TEST_ROLE", "full".as_ref()), ("CACHE_TEST_DIRECTORY", directory.path())])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(cache.get(&key()).unwrap(), Some(payload("{\"new\": 1}")));
    only_file(directory.path());
}

#[test]
fn killed_writer_leaves_a_whole_payload() {
    const ROUNDS: usize = 20;
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    let mut start = 1;
    for round in 0..ROUNDS {
        let mut child = child("put for ever", directory.path(), start);
        let mut puts = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .filter_map(|line| line.unwrap().strip_prefix("put ")?.parse::<u64>().ok());
        // It is killed during the next write.
        let put = puts.nth(round % 5).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();

        let kept = cache.get(&key()).unwrap().unwrap();
        assert!(kept.fetched_at >= put, "{} {put}", kept.fetched_at);
        assert_eq!(kept, numbered(kept.fetched_at));
        start = kept.fetched_at + 1;
    }

    for file in files(directory.path()) {
        set_age(&file, Duration::from_secs(3_700));
    }
    cache.put(&key(), &payload("{}")).unwrap();
    only_file(directory.path());
}

#[test]
fn concurrent_readers_see_whole_payloads() {
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    cache.put(&key(), &numbered(0)).unwrap();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    let kept = cache.get(&key()).unwrap().unwrap();
                    assert_eq!(kept, numbered(kept.fetched_at));
                }
            });
        }
        let children = [1_000, 2_000].map(|start| child("put some", directory.path(), start));
        let writers = [3_000, 4_000].map(|start| {
            let cache = &cache;
            scope.spawn(move || put_some(cache, start))
        });
        let writers = writers.map(|writer| writer.join());
        let children = children.map(|mut child| child.wait());
        is_done.store(true, Ordering::Relaxed);
        assert!(writers.iter().all(Result::is_ok));
        assert!(children.into_iter().all(|status| status.unwrap().success()));
    });
    only_file(directory.path());
}

#[test]
fn concurrent_confirming_spoils_no_document() {
    const TIMES: [UnixMillis; 2] = [0x1111_1111_1111_1111, 0x2222_2222_2222_2222];
    let directory = TempDir::new().unwrap();
    let cache = FileCache::new(directory.path());
    cache.put(&key(), &numbered(0)).unwrap();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                let kept = cache.get(&key()).unwrap().unwrap();
                let number = kept.etag.as_deref().unwrap().parse().unwrap();
                // A time that is read while it is written counts as long ago.
                let times = [number, TIMES[0], TIMES[1], 0];
                assert!(times.contains(&kept.fetched_at), "{}", kept.fetched_at);
                assert_eq!(CachedPayload { fetched_at: number, ..kept }, numbered(number));
            }
        });
        let confirmers = TIMES.map(|time| {
            let cache = &cache;
            scope.spawn(move || {
                (0..5_000).for_each(|_| cache.confirm(&key(), &confirmed_at(time)).unwrap())
            })
        });
        let mut child = child("put some", directory.path(), 1);
        let confirmers = confirmers.map(|confirmer| confirmer.join());
        let status = child.wait();
        is_done.store(true, Ordering::Relaxed);
        assert!(confirmers.iter().all(Result::is_ok));
        assert!(status.unwrap().success());
    });
}

#[test]
fn debug_tells_no_secret() {
    let cache = FileCache::new("some/where");
    assert_eq!(format!("{cache:?}"), "FileCache { directory: \"some/where\", .. }");
}

/// Not a test: other tests start it as a process. Without them it does nothing.
#[test]
fn child_process() {
    let (Ok(role), Some(directory)) =
        (env::var("CACHE_TEST_ROLE"), env::var_os("CACHE_TEST_DIRECTORY"))
    else {
        return;
    };
    let start = env::var("CACHE_TEST_START").map_or(0, |start| start.parse().unwrap());
    let cache = FileCache::new(directory);
    match role.as_str() {
        "put for ever" => {
            for number in start.. {
                cache.put(&key(), &numbered(number)).unwrap();
                // Unlike `println!`, this is not captured. An unfinished line is before it.
                writeln!(io::stdout(), "\nput {number}").unwrap();
            }
        }
        "put some" => put_some(&cache, start),
        "full" => {
            let error = cache.put(&key(), &numbered(1)).unwrap_err();
            assert_eq!(kind(&error), io::ErrorKind::FileTooLarge);
            assert_has_no_secret(&error);
            assert_eq!(cache.get(&key()).unwrap(), Some(payload("{\"old\": 1}")));
            // It works again when there is room.
            cache.put(&key(), &payload("{\"new\": 1}")).unwrap();
        }
        role => panic!("{role}"),
    }
}

const CHILD_ARGUMENTS: [&str; 4] = ["--exact", "child_process", "--nocapture", "--test-threads=1"];

fn child(role: &str, directory: &Path, start: u64) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(CHILD_ARGUMENTS)
        .env("CACHE_TEST_ROLE", role)
        .env("CACHE_TEST_DIRECTORY", directory)
        .env("CACHE_TEST_START", start.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn put_some(cache: &FileCache, start: u64) {
    for number in start..start + 50 {
        cache.put(&key(), &numbered(number)).unwrap();
    }
}

fn key() -> PayloadKey {
    PayloadKey::new(HOST, CLIENT_KEY)
}

/// Returns a payload that the server confirmed at this time.
fn confirmed_at(fetched_at: UnixMillis) -> CachedPayload {
    CachedPayload { fetched_at, ..payload("confirmed") }
}

fn payload(document: &str) -> CachedPayload {
    CachedPayload {
        document: document.into(),
        etag: Some("\"tag\"".into()),
        streaming: true,
        fetched_at: 1_790_000_000_123,
    }
}

/// Returns a payload with its number in each part, and a different length for each number.
fn numbered(number: u64) -> CachedPayload {
    CachedPayload {
        document: format!("{number:08} ").repeat(10_000 + number as usize % 7 * 1_000).into(),
        etag: Some(number.to_string().into()),
        streaming: number.is_multiple_of(2),
        fetched_at: number,
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect()
}

fn only_file(directory: &Path) -> PathBuf {
    let mut files = files(directory);
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

fn set_age(file: &Path, age: Duration) {
    let file = File::options().write(true).open(file).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

/// Returns a number that changes when the file is replaced.
fn identity(file: &Path) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::ino(&fs::metadata(file).unwrap());
    #[cfg(not(unix))]
    return fs::metadata(file).unwrap().len();
}

/// Returns the system's error.
fn kind(error: &PayloadCacheError) -> io::ErrorKind {
    chain(error).find_map(|error| error.downcast_ref::<io::Error>()).unwrap().kind()
}

fn assert_has_no_secret(error: &PayloadCacheError) {
    let said: String = chain(error).map(|error| format!("{error} {error:?}\n")).collect();
    assert!(!said.contains("secret") && !said.contains(HOST), "{said}");
}

fn chain(error: &PayloadCacheError) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}
