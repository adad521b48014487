"""Evaluates features with the Python SDK, with its payload cache in Redis.

Reads a question from the standard input: the addresses of Redis and the features server, the client
key, users and features. Writes the features' values for each user.
"""

import json
import sys

from growthbook import AbstractFeatureCache, GrowthBook, feature_repo
from redis import Redis


class RedisFeatureCache(AbstractFeatureCache):
    """The cache from the SDK's documentation: a prefix, the JSON text, then an expiry."""

    def __init__(self, redis):
        self.redis = redis
        self.prefix = "gb:"

    def get(self, key):
        data = self.redis.get(self.prefix + key)
        return None if data is None else json.loads(data)

    def set(self, key, value, ttl):
        self.redis.set(self.prefix + key, json.dumps(value))
        self.redis.expire(self.prefix + key, ttl)


def main():
    question = json.load(sys.stdin)
    feature_repo.set_cache(RedisFeatureCache(Redis.from_url(question["redis"])))
    answers = []
    for attributes in question["users"]:
        growthbook = GrowthBook(
            api_host=question["apiHost"],
            client_key=question["clientKey"],
            decryption_key=question.get("decryptionKey", ""),
            attributes=attributes,
        )
        growthbook.load_features()
        answers.append({key: growthbook.eval_feature(key).value for key in question["features"]})
        growthbook.destroy()
    json.dump(answers, sys.stdout)


main()
