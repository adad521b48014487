-- Merges assignments into the stored document.
-- KEYS: the key of the document.
-- ARGV: the attribute name, the attribute value, the start of the document's JSON up to its
-- assignments, the TTL in milliseconds or 0, then pairs of an experiment key and a variation.

-- Only strings are encoded here: cjson would change numbers and empty objects.
local function encode(text)
  return (string.gsub(cjson.encode(text), '\\/', '/'))
end

-- cjson accepts any bytes as text. Other readers would find such a document corrupt.
local function is_utf8(text)
  for _, sequence in ipairs({
    '\240[\144-\191][\128-\191][\128-\191]', '[\241-\243][\128-\191][\128-\191][\128-\191]',
    '\244[\128-\143][\128-\191][\128-\191]', '\224[\160-\191][\128-\191]',
    '\237[\128-\159][\128-\191]', '[\225-\236\238\239][\128-\191][\128-\191]',
    '[\194-\223][\128-\191]',
  }) do
    text = string.gsub(text, sequence, ' ')
  end
  return not string.find(text, '[\128-\255]')
end

local assignments = {}
-- GET is an error if the key does not hold a string. Then the document replaces it.
local stored = redis.pcall('GET', KEYS[1])
if type(stored) == 'string' and is_utf8(stored) then
  local is_json, document = pcall(cjson.decode, stored)
  if is_json and type(document) == 'table' and type(document.assignments) == 'table'
    and document.attributeName == ARGV[1]
    and (document.attributeValue == ARGV[2] or type(document.attributeValue) == 'number')
  then
    for experiment, variation in pairs(document.assignments) do
      if type(experiment) == 'string' and type(variation) == 'string' then
        assignments[experiment] = variation
      end
    end
  end
end
for index = 5, #ARGV, 2 do
  assignments[ARGV[index]] = ARGV[index + 1]
end

local experiments = {}
for experiment in pairs(assignments) do
  experiments[#experiments + 1] = experiment
end
table.sort(experiments)
for index, experiment in ipairs(experiments) do
  experiments[index] = encode(experiment) .. ':' .. encode(assignments[experiment])
end
local json = ARGV[3] .. '{' .. table.concat(experiments, ',') .. '}}'

if ARGV[4] == '0' then
  return redis.call('SET', KEYS[1], json)
end
return redis.call('SET', KEYS[1], json, 'PX', ARGV[4])
