#pragma once
// Does a value fit a JSON Schema? The part of draft 2020-12 that answers of models are asked in, of
// our own: the one validator in Debian 12 that reads Boost.JSON (valijson 1.0) matches patterns
// with std::regex, which recurses on its input, and here the input is what a model wrote. Pure; any
// thread. Source: https://json-schema.org/draft/2020-12/json-schema-validation
//
// Understood: type, enum, const, properties, required, additionalProperties, items, prefixItems,
// minItems, maxItems, uniqueItems, minLength, maxLength, minimum, maximum, exclusiveMinimum,
// exclusiveMaximum, anyOf, oneOf, allOf, and $ref into $defs of the same schema. Ignored: title,
// description, default, examples, $schema, $id, $comment, format.
#include <string>
#include <vector>

#include "core/json.hpp"

namespace vigil::models {

// Whatever else stands in a schema is refused before anybody is asked: a rule that is not checked
// would be no rule.
Result<void> check_schema(const json::object& schema);

// What is wrong, each with its place ("/findings/2/line: expected an integer, not a text"), at most
// ten; none: it fits. The schema has passed check_schema.
std::vector<std::string> misfits(const json::value& value, const json::object& schema);

}  // namespace vigil::models
