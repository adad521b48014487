//! The provider: its options, evaluations, events, and start.

use core::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use growthbook::fetch::{StreamOff, StreamState};
use growthbook::sticky::StickyBuckets;
use growthbook::{Client, FeatureResultSource, PayloadSource, Status};
use growthbook_support::contain;
use open_feature::provider::{
    FeatureProvider, ProviderMetadata, ProviderStatus, ResolutionDetails,
};
use open_feature::{
    EvaluationContext, EvaluationErrorCode as Code, EvaluationResult, StructValue, async_trait,
};
use serde::Serialize;

use crate::context::ContextReader;
use crate::readiness;
use crate::resolution::{Choices, FlagValue, error, resolve};
use crate::structs::struct_to_json;
use crate::targeting_key;

/// The name of the provider in OpenFeature's metadata.
pub const PROVIDER_NAME: &str = "growthbook";

/// How long the initialization waits for a payload.
pub const DEFAULT_READY_TIMEOUT: Duration = Duration::from_secs(5);

/// An OpenFeature provider that answers with a GrowthBook client.
///
/// A clone is another handle on the same provider: OpenFeature takes one, and the application may
/// keep one for [`track`](GrowthBookProvider::track).
#[derive(Clone)]
pub struct GrowthBookProvider {
    client: Client,
    metadata: ProviderMetadata,
    contexts: ContextReader,
    choices: Choices,
    requires_targeting_key: bool,
    ready_timeout: Duration,
    /// Whether the initialization is over. Clones share it.
    is_initialized: Arc<AtomicBool>,
}

/// The provider and its options.
impl GrowthBookProvider {
    /// Makes a provider of a client. The client's plugins, callbacks and stores work as usual.
    pub fn new(client: Client) -> Self {
        GrowthBookProvider {
            client,
            metadata: ProviderMetadata::new(PROVIDER_NAME),
            contexts: ContextReader::default(),
            choices: Choices { empty_value_when_disabled: false },
            requires_targeting_key: true,
            ready_timeout: DEFAULT_READY_TIMEOUT,
            is_initialized: Arc::default(),
        }
    }

    /// Sets the attribute that gets the targeting key. A field of the same name is replaced by a key
    /// that is not empty. Default: [`DEFAULT_TARGETING_ATTRIBUTE`](crate::DEFAULT_TARGETING_ATTRIBUTE).
    #[must_use]
    pub fn targeting_attribute(mut self, name: &str) -> Self {
        self.contexts.targeting_attribute = name.into();
        self
    }

    /// Sets whether a missing targeting key is an error, if the flag's answer depends on it: a rule
    /// would hash the key. Otherwise the rule is skipped, as in other GrowthBook SDKs. Default: true.
    ///
    /// A missing key that the flag does not need is never an error.
    #[must_use]
    pub fn require_targeting_key(mut self, required: bool) -> Self {
        self.requires_targeting_key = required;
        self
    }

    /// Lets fields of an evaluation context have values of this type. OpenFeature's structs do not
    /// show their content, so a provider has to know their types. JSON values, OpenFeature's own
    /// structs, and lists of texts or numbers need no name.
    ///
    /// ```
    /// use growthbook::Client;
    /// use growthbook_openfeature::GrowthBookProvider;
    /// use open_feature::{EvaluationContext, EvaluationContextFieldValue};
    ///
    /// #[derive(serde::Serialize)]
    /// struct Company { name: String, employees: u32 }
    ///
    /// let client = Client::from_json(r#"{"features": {}}"#)?;
    /// let provider = GrowthBookProvider::new(client).context_type::<Company>();
    /// let company = Company { name: "ACME".into(), employees: 12 };
    /// let user = EvaluationContext::default()
    ///     .with_targeting_key("user-123")
    ///     .with_custom_field("company", EvaluationContextFieldValue::new_struct(company));
    /// # Ok::<(), growthbook::PayloadError>(())
    /// ```
    #[must_use]
    pub fn context_type<T: Serialize + Send + Sync + 'static>(mut self) -> Self {
        self.contexts.add_type::<T>();
        self
    }

    /// Sets what a flag gives that a prerequisite disables. It has no value then. With `true` it
    /// gives its type's empty value (false, 0, "" or an empty struct) with the reason `DISABLED`.
    /// Default: false. That is an error with the code `General("DISABLED")`, so that the application
    /// uses its own default.
    #[must_use]
    pub fn empty_value_when_disabled(mut self, empty: bool) -> Self {
        self.choices.empty_value_when_disabled = empty;
        self
    }

    /// Sets how long the initialization waits for a payload. OpenFeature lets no evaluation of a
    /// default provider begin in that time. Default: [`DEFAULT_READY_TIMEOUT`].
    #[must_use]
    pub fn ready_timeout(mut self, timeout: Duration) -> Self {
        self.ready_timeout = timeout;
        self
    }

    /// Returns the client.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

/// Events.
impl GrowthBookProvider {
    /// Logs an event of a user, for the client's plugins. OpenFeature 0.3 has no tracking yet, so
    /// applications call it on a clone of the provider. The context is that of the user alone:
    /// OpenFeature's global context is not added.
    ///
    /// ```
    /// # use growthbook::Client;
    /// # use growthbook_openfeature::GrowthBookProvider;
    /// use open_feature::{EvaluationContext, StructValue};
    ///
    /// # let client = Client::from_json(r#"{"features": {}}"#)?;
    /// # let provider = GrowthBookProvider::new(client);
    /// let user = EvaluationContext::default().with_targeting_key("user-123");
    /// let details = StructValue::default().with_field("value", 9.5).with_field("currency", "EUR");
    /// assert!(provider.track("Purchase", &user, &details).is_ok());
    /// # Ok::<(), growthbook::PayloadError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the context has a struct that cannot be read. The event is not logged.
    pub fn track(
        &self,
        name: &str,
        context: &EvaluationContext,
        details: &StructValue,
    ) -> EvaluationResult<()> {
        let user = self.contexts.user(context)?;
        // With documents, a client does not load any.
        let scope = self.client.for_user_with_sticky(user, StickyBuckets::new());
        if let serde_json::Value::Object(properties) = struct_to_json(details) {
            scope.log_event(name, properties);
        }
        Ok(())
    }
}

/// OpenFeature.
#[async_trait]
impl FeatureProvider for GrowthBookProvider {
    /// Waits until the client has a payload, at most for
    /// [`ready_timeout`](GrowthBookProvider::ready_timeout). Afterwards the client continues to try.
    async fn initialize(&mut self, _context: &EvaluationContext) {
        readiness::wait(&self.client, self.ready_timeout).await;
        self.is_initialized.store(true, Ordering::Release);
    }

    /// Returns `Ready`, `STALE` if the payload may be outdated, `NotReady` before the initialization
    /// is over, and `Error` if there is no payload after it.
    fn status(&self) -> ProviderStatus {
        if !self.is_initialized.load(Ordering::Acquire) {
            return ProviderStatus::NotReady;
        }
        let status = self.client.status();
        match status.source {
            None => ProviderStatus::Error,
            Some(_) if is_stale(&status) => ProviderStatus::STALE,
            Some(_) => ProviderStatus::Ready,
        }
    }

    fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    async fn resolve_bool_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<bool>> {
        self.resolve(flag_key, evaluation_context)
    }

    async fn resolve_int_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<i64>> {
        self.resolve(flag_key, evaluation_context)
    }

    async fn resolve_float_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<f64>> {
        self.resolve(flag_key, evaluation_context)
    }

    async fn resolve_string_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        self.resolve(flag_key, evaluation_context)
    }

    async fn resolve_struct_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<StructValue>> {
        self.resolve(flag_key, evaluation_context)
    }
}

impl GrowthBookProvider {
    /// Evaluates. The client contains the panics of callbacks and stores; a panic of anything else
    /// is an error.
    fn resolve<T: FlagValue>(
        &self,
        flag: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<T>> {
        contain(|| self.evaluate(flag, context)).unwrap_or_else(|_| {
            let code = Code::General("PANIC".into());
            Err(error(code, format!("the evaluation of the flag {flag:?} panicked")))
        })
    }

    fn evaluate<T: FlagValue>(
        &self,
        flag: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<T>> {
        let scope = self.client.for_user(self.contexts.user(context)?);
        let attribute = &*self.contexts.targeting_attribute;
        // This comes first: no exposure must be reported for a value that the caller does not get.
        if self.requires_targeting_key
            && targeting_key::is_missed(&self.client, &scope, flag, attribute)
        {
            let text = format!("the flag {flag:?} depends on the targeting key, which is missing");
            return Err(error(Code::TargetingKeyMissing, text));
        }
        let result = scope.eval_feature(flag);
        if result.source == FeatureResultSource::UnknownFeature && scope.payload_source().is_none()
        {
            return Err(error(Code::ProviderNotReady, "there is no payload yet"));
        }
        resolve(flag, &result, scope.snapshot().date_updated(), self.choices)
    }
}

/// Prints no attribute values and no keys.
impl fmt::Debug for GrowthBookProvider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GrowthBookProvider")
            .field("client", &self.client)
            .field("targeting_attribute", &self.contexts.targeting_attribute)
            .finish_non_exhaustive()
    }
}

/// Whether the payload may be outdated: refreshing fails or has ended, or only the fallback is there.
fn is_stale(status: &Status) -> bool {
    let is_closed = matches!(status.stream, StreamState::Off(StreamOff::Closed));
    let is_fallback = status.source == Some(PayloadSource::Fallback);
    status.last_error.is_some() || is_closed || is_fallback
}
