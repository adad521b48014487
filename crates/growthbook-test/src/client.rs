//! The client of a test.

use std::ops::Deref;

use growthbook::{Client, Experiment, UserContext};
use serde_json::Value;

use crate::forced::{ForcedFeature, ForcedFeatures};
use crate::recorder::Recorder;
use crate::search::{self, NoUser};
use crate::strict::Strict;

/// A client for a test: it records events, and can force values for a while.
///
/// It is used like the [`Client`] that it contains. Make one test client for each client.
#[derive(Debug)]
pub struct TestClient {
    client: Client,
    recorder: Recorder,
    forced: ForcedFeatures,
    strict: Option<Strict>,
}

impl TestClient {
    /// Makes a test client of any client, connected or embedded. It sees the scopes that are made
    /// from now on.
    pub fn new(client: Client) -> Self {
        let recorder = Recorder::new();
        client.subscribe(recorder.clone()).keep();
        let forced = ForcedFeatures::new(&client);
        TestClient { client, recorder, forced, strict: None }
    }

    /// Fails the test when this test client is dropped, if code asked for a flag or attribute that does
    /// not exist: see [`Strict`].
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict.get_or_insert_with(|| Strict::new(&self.client));
        self
    }

    /// Makes the client [strict](Self::strict), and names attributes that the application sets, and
    /// that the payload does not use.
    #[must_use]
    pub fn allow_attributes<'n>(self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let client = self.strict();
        if let Some(strict) = &client.strict {
            strict.allow_attributes(names);
        }
        client
    }

    /// Returns a handle of the client, for code that keeps one.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Returns the record of exposures, evaluated features and logged events.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Forces a feature's value for every user until the guard is dropped. The feature need not
    /// exist. Scopes that were made before do not see it.
    ///
    /// The newest guard of a feature decides. Guards may be dropped in any order, on any thread.
    /// After the last one, the feature is as it was before the first one.
    #[must_use = "dropping the guard ends it"]
    pub fn force_feature(&self, key: &str, value: impl Into<Value>) -> ForcedFeature {
        self.forced.force(key, value.into())
    }

    /// Searches a user who takes part in an experiment and gets this variation. The experiment is
    /// named by its key, which is the key of the feature unless the rule has another. The variation is
    /// named by its key, or by its value if that is a string.
    ///
    /// The user has the attribute that the experiment hashes, and no other. No callback is notified.
    ///
    /// # Errors
    ///
    /// The payload lacks the experiment or variation, or no user of [`MAX_TRIED_USERS`] gets it. The
    /// text says which.
    ///
    /// [`MAX_TRIED_USERS`]: crate::MAX_TRIED_USERS
    pub fn user_in(&self, experiment: &str, variation: &str) -> Result<UserContext, NoUser> {
        self.user_like(UserContext::default(), experiment, variation)
    }

    /// Searches a user like [`user_in`](Self::user_in), who also has these attributes and settings.
    /// If the user has the attribute that the experiment hashes, only this user is tried.
    ///
    /// ```
    /// use growthbook::UserContext;
    /// use growthbook_test::{flags, json, when};
    ///
    /// let client = flags()
    ///     .rule("color", when(json!({"country": "US"})).experiment(["blue", "green"]))
    ///     .client();
    /// let american = UserContext::default().attribute("country", "US");
    /// let user = client.user_like(american, "color", "green")?;
    /// assert_eq!(client.for_user(user).feature_value("color", ""), "green");
    ///
    /// let error = client.user_in("color", "green").unwrap_err();
    /// assert!(error.to_string().contains("the condition failed"));
    /// # Ok::<(), growthbook_test::NoUser>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Like those of [`user_in`](Self::user_in).
    pub fn user_like(
        &self,
        user: UserContext,
        experiment: &str,
        variation: &str,
    ) -> Result<UserContext, NoUser> {
        search::in_payload(&self.client, &user, experiment, variation)
    }

    /// Searches a user who gets this variation of an experiment that is declared in code.
    ///
    /// ```
    /// use growthbook::{Experiment, UserContext};
    ///
    /// let experiment = Experiment::new("cta-text", ["Buy", "Order now"]);
    /// let client = growthbook_test::flags().client();
    /// let user = client.user_running(&experiment, 1)?;
    /// assert_eq!(*client.for_user(user).run(&experiment).value, "Order now");
    /// # Ok::<(), growthbook_test::NoUser>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The experiment lacks the variation, or no tried user gets it. The text says which.
    pub fn user_running<T>(
        &self,
        experiment: &Experiment<T>,
        variation: usize,
    ) -> Result<UserContext, NoUser> {
        search::in_code(&self.client, experiment, variation)
    }
}

impl Deref for TestClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl AsRef<Client> for TestClient {
    fn as_ref(&self) -> &Client {
        &self.client
    }
}
