//! Connections to the nodes of a cluster.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use redis::{
    Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value,
};

use super::failing::{Address, Attempt, Failing};
use super::failure::is_oversize;
use super::reply::Budget;
use super::server::{Server, checked};
use super::slot::{self, SlotMap};
use super::tls::Tls;

/// The least time for connecting to a node and the first request to it. The caller may no longer
/// wait for that request, but the next one finds the connection.
const LEAST_CONNECT_TIME: Duration = Duration::from_secs(2);
/// How often nodes may send one request on to another node.
const MAX_REDIRECTIONS: usize = 5;

/// The addresses of a cluster. All connections to it share them.
pub(super) struct Nodes {
    /// The addresses that the application gave. There is at least one.
    seeds: Vec<ConnectionInfo>,
    next_seed: AtomicUsize,
    failing: Arc<Failing>,
}

impl Nodes {
    pub(super) fn new(seeds: Vec<ConnectionInfo>) -> RedisResult<Self> {
        if seeds.iter().any(|seed| address_of(seed.addr()).is_none()) {
            let problem = "the address of a node in a cluster needs a host and a port";
            return Err((ErrorKind::InvalidClientConfig, problem).into());
        }
        Ok(Nodes { seeds, next_seed: AtomicUsize::new(0), failing: Arc::default() })
    }

    /// Returns one of the given addresses, the next one with each call.
    #[expect(clippy::indexing_slicing, reason = "there is at least one seed")]
    pub(super) fn next_seed(&self) -> &ConnectionInfo {
        &self.seeds[self.next_seed.fetch_add(1, Ordering::Relaxed) % self.seeds.len()]
    }

    /// Returns how to connect to a node: in the same way as to the first given one.
    #[expect(clippy::indexing_slicing, reason = "there is at least one seed")]
    fn info(&self, (to_host, to_port): &Address) -> ConnectionInfo {
        let first = &self.seeds[0];
        let mut address = first.addr().clone();
        if let ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } =
            &mut address
        {
            host.clone_from(to_host);
            *port = *to_port;
        }
        first.clone().set_addr(address)
    }
}

/// Connections to the nodes of a cluster. A request goes to the node that has its key. A broken
/// connection is replaced with the next request to its node.
pub(super) struct Cluster {
    nodes: Arc<Nodes>,
    tls: Tls,
    max_reply: usize,
    deadline: Instant,
    slots: SlotMap,
    /// Whether the slots have to be asked for before the next request.
    is_stale: bool,
    open: HashMap<Address, Server>,
}

/// The connection to a node during a request.
struct Busy {
    address: Address,
    server: Server,
    /// `None` for a connection of an earlier request.
    attempt: Option<Attempt>,
}

impl Cluster {
    /// Makes connections that the first requests open.
    pub(super) fn new(nodes: Arc<Nodes>, tls: Tls, deadline: Instant, max_reply: usize) -> Self {
        let (slots, open) = (SlotMap::default(), HashMap::new());
        Cluster { nodes, tls, max_reply, deadline, slots, is_stale: true, open }
    }

    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Sends a command about this key.
    pub(super) fn query(&mut self, key: &str, command: &Cmd) -> RedisResult<Value> {
        let commands = command.get_packed_command();
        let loaded = self.load_stale_slots();
        let mut address = self.master(key, &loaded)?;
        let mut is_asking = false;
        for _ in 0..MAX_REDIRECTIONS {
            let error = match self.ask(&address, is_asking, &commands) {
                Err(error) => error,
                replied => return replied,
            };
            self.note(&address, &error);
            address = redirection(&error, &address.0).ok_or(error.clone())?;
            is_asking = error.kind() == ErrorKind::Server(ServerErrorKind::Ask);
        }
        Err((ErrorKind::Client, "the nodes of the cluster sent a request on too often").into())
    }

    /// Returns the string under each key, or `Nil`. The requests to all nodes are sent before the
    /// first reply is read.
    pub(super) fn get_all(&mut self, keys: &[String]) -> RedisResult<Vec<Value>> {
        // Once for all keys, because it takes long if nodes hang.
        let loaded = self.load_stale_slots();
        let mut positions_by_node: BTreeMap<Address, Vec<(usize, &str)>> = BTreeMap::new();
        for (position, key) in keys.iter().enumerate() {
            positions_by_node.entry(self.master(key, &loaded)?).or_default().push((position, key));
        }
        let mut failure = None;
        let mut sent = Vec::new();
        for (address, positions) in positions_by_node {
            let mut busy = match self.take(&address) {
                Ok(busy) => busy,
                Err(error) => {
                    // The connections to the other nodes stay usable.
                    failure = Some(error);
                    continue;
                }
            };
            let mut commands = Vec::new();
            for (_, key) in &positions {
                redis::cmd("GET").arg(key).write_packed_command(&mut commands);
            }
            // Reading the reply reports the same failure.
            let _ = busy.server.send(&commands);
            sent.push((busy, positions));
        }
        let mut values = Vec::new();
        let mut budget = Budget::new(self.max_reply);
        for (mut busy, positions) in sent {
            let mut again = Vec::new();
            for (position, key) in positions {
                match read_string(&mut busy, &mut budget) {
                    Ok(Some(value)) => values.push((position, value)),
                    Ok(None) => again.push((position, key)),
                    Err(error) => {
                        self.note(&busy.address, &error);
                        failure = Some(error);
                    }
                }
            }
            self.give_back(busy);
            for (position, key) in again {
                match self.query(key, redis::cmd("GET").arg(key)) {
                    Ok(value) => values.push((position, value)),
                    Err(error) if is_wrong_type(&error) => values.push((position, Value::Nil)),
                    Err(error) => failure = Some(error),
                }
            }
        }
        values.sort_unstable_by_key(|(position, _)| *position);
        failure.map_or_else(|| Ok(values.into_iter().map(|(_, value)| value).collect()), Err)
    }

    /// Returns the node that has this key. `loaded` is the outcome of
    /// [`load_stale_slots`](Self::load_stale_slots).
    fn master(&mut self, key: &str, loaded: &RedisResult<()>) -> RedisResult<Address> {
        match self.slots.master(slot::of(key)) {
            Some(address) => Ok(address.clone()),
            None => {
                self.is_stale = true;
                loaded.clone()?;
                let problem = "no node of the cluster serves the slot of the key";
                Err((ErrorKind::ClusterConnectionNotFound, problem).into())
            }
        }
    }

    /// Asks for the slots, if they may have changed.
    fn load_stale_slots(&mut self) -> RedisResult<()> {
        if self.is_stale { self.load_slots() } else { Ok(()) }
    }

    /// Asks one node after another which nodes there are. If none answers, the known slots stay.
    fn load_slots(&mut self) -> RedisResult<()> {
        let seeds = self.nodes.seeds.iter().filter_map(|seed| address_of(seed.addr()));
        let known = self.open.keys().chain(self.slots.masters()).cloned().chain(seeds);
        let mut addresses: Vec<Address> = Vec::new();
        for address in known {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        let commands = redis::cmd("CLUSTER").arg("SLOTS").get_packed_command();
        let mut failure = None;
        for address in addresses {
            match self.ask(&address, false, &commands) {
                Ok(reply) => {
                    let slots = SlotMap::read(&reply, &address.0);
                    self.open.retain(|open, _| slots.masters().any(|master| master == open));
                    self.slots = slots;
                    self.is_stale = false;
                    return Ok(());
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(|| io::Error::from(io::ErrorKind::NotConnected).into()))
    }

    /// Sends a command to this node, and returns the reply.
    fn ask(&mut self, address: &Address, is_asking: bool, commands: &[u8]) -> RedisResult<Value> {
        let exchange = |server: &mut Server| {
            if is_asking {
                server.query(&redis::cmd("ASKING"))?;
            }
            server.send(commands)?;
            server.receive().and_then(checked)
        };
        let mut busy = self.take(address)?;
        let mut replied = exchange(&mut busy.server);
        if let Err(error) = &replied
            && busy.may_have_been_closed(error)
        {
            busy = self.connect(address)?;
            replied = exchange(&mut busy.server);
        }
        self.give_back(busy);
        replied
    }

    /// Takes the connection to a node, or opens one.
    fn take(&mut self, address: &Address) -> RedisResult<Busy> {
        let Some(mut server) = self.open.remove(address) else { return self.connect(address) };
        if Instant::now() >= self.deadline {
            // The connection stays usable.
            self.open.insert(address.clone(), server);
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        }
        server.set_deadline(self.deadline);
        Ok(Busy { address: address.clone(), server, attempt: None })
    }

    fn connect(&mut self, address: &Address) -> RedisResult<Busy> {
        let Some(attempt) = self.nodes.failing.admit(address) else {
            return Err(io::Error::from(io::ErrorKind::NotConnected).into());
        };
        let until = self.deadline.max(Instant::now() + LEAST_CONNECT_TIME);
        match Server::open(&self.nodes.info(address), &self.tls, until, self.max_reply) {
            Ok(server) => Ok(Busy { address: address.clone(), server, attempt: Some(attempt) }),
            Err(error) => {
                attempt.end(false);
                self.is_stale = true;
                Err(error)
            }
        }
    }

    /// Keeps the connection for the next request, if it is still usable.
    fn give_back(&mut self, busy: Busy) {
        let works = busy.server.is_open();
        match busy.attempt {
            Some(attempt) => attempt.end(works),
            None if !works => self.nodes.failing.note(&busy.address),
            None => {}
        }
        if works {
            self.open.insert(busy.address, busy.server);
        } else {
            self.is_stale = true;
        }
    }

    /// Notes an error reply that shows that the nodes have changed.
    fn note(&mut self, address: &Address, error: &RedisError) {
        match error.code() {
            Some("MOVED" | "READONLY" | "MASTERDOWN" | "CLUSTERDOWN") => self.is_stale = true,
            // The next connection logs in again.
            Some("NOAUTH") => drop(self.open.remove(address)),
            _ => {}
        }
    }
}

impl Busy {
    /// Whether the server may have closed the connection while it was idle.
    fn may_have_been_closed(&self, error: &RedisError) -> bool {
        let is_broken = !self.server.is_open();
        is_broken && self.attempt.is_none() && !error.is_timeout() && !is_oversize(error)
    }
}

/// Reads the reply to a `GET`. Returns `None` if the request has to be sent again.
fn read_string(busy: &mut Busy, budget: &mut Budget) -> RedisResult<Option<Value>> {
    match busy.server.receive_within(budget).and_then(checked) {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_wrong_type(&error) => Ok(Some(Value::Nil)),
        Err(error) if redirection(&error, "").is_some() => Ok(None),
        Err(error) if busy.may_have_been_closed(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_wrong_type(error: &RedisError) -> bool {
    error.code() == Some("WRONGTYPE")
}

/// Returns the node to which an error reply sends the request. A node that does not know its host
/// is on the answering one.
fn redirection(error: &RedisError, answering_host: &str) -> Option<Address> {
    let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = if host.is_empty() { answering_host } else { host };
    Some((host.to_owned(), port.parse().ok()?))
}

fn address_of(address: &ConnectionAddr) -> Option<Address> {
    match address {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            Some((host.clone(), *port))
        }
        _ => None,
    }
}
