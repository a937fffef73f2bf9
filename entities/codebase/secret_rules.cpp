#include "entities/codebase/secret_rules.hpp"

#include <array>
#include <vector>

namespace vigil::entities::codebase {
namespace {

using enum Severity;

// Those of one form each.
constexpr std::array known_forms{
    SecretRule{
        "private-key", "-----begin",
        R"((-----BEGIN (?:RSA |EC |DSA |OPENSSH |PGP |ENCRYPTED )?PRIVATE KEY(?: BLOCK)?-----))", 0,
        critical, "a private key"},
    SecretRule{"aws-access-key", "akia,asia,abia,acca",
               R"(\b((?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\b)", 3.0, critical,
               "an AWS access key id"},
    SecretRule{"aws-secret-key", "aws",
               R"((?i)aws.{0,24}(?:secret|sk|key).{0,24}?['"=:\s]([a-z0-9/+]{40})(?:['"\s,;]|$))",
               4.2, critical, "an AWS secret key"},
    SecretRule{"github-token", "ghp_,gho_,ghu_,ghs_,ghr_", R"(\b(gh[pousr]_[A-Za-z0-9]{36,251})\b)",
               3.0, critical, "a GitHub token"},
    SecretRule{"github-fine-token", "github_pat_",
               R"(\b(github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})\b)", 3.0, critical,
               "a GitHub fine-grained token"},
    SecretRule{"gitlab-token", "glpat-,gldt-,glrt-,glptt-,glcbt-,glft-,glsoat-",
               R"(\b(gl(?:pat|dt|rt|ptt|cbt|ft|soat)-[A-Za-z0-9_\-]{20,64}))", 3.0, critical,
               "a GitLab token"},
    SecretRule{"slack-token", "xox", R"(\b(xox[abeoprs]-(?:\d-)?[A-Za-z0-9\-]{20,200}))", 3.0,
               critical, "a Slack token"},
    SecretRule{"slack-app-token", "xapp-", R"(\b(xapp-\d-[A-Z0-9]+-\d+-[a-f0-9]{40,80})\b)", 3.0,
               critical, "a Slack app token"},
    SecretRule{
        "slack-webhook", "hooks.slack.com",
        R"((hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9]+/[A-Za-z0-9]+/[A-Za-z0-9]{18,}))",
        3.0, high, "a Slack webhook address, which anybody can post to"},
    SecretRule{"stripe-live-key", "_live_", R"(\b((?:sk|rk)_live_[A-Za-z0-9]{20,247})\b)", 3.0,
               critical, "a Stripe live key"},
    SecretRule{"stripe-test-key", "_test_", R"(\b((?:sk|rk)_test_[A-Za-z0-9]{20,247})\b)", 3.5, low,
               "a Stripe test key"},
    SecretRule{"webhook-secret", "whsec_", R"(\b(whsec_[A-Za-z0-9+/=]{24,64}))", 3.5, medium,
               "a webhook signing secret"},
    SecretRule{"google-api-key", "aiza", R"(\b(AIza[0-9A-Za-z_\-]{35})(?:[^0-9A-Za-z_\-]|$))", 3.5,
               high, "a Google API key"},
    SecretRule{"google-oauth-secret", "gocspx-", R"(\b(GOCSPX-[A-Za-z0-9_\-]{28})(?:[^\w\-]|$))",
               3.0, high, "a Google OAuth client secret"},
    SecretRule{"npm-token", "npm_", R"(\b(npm_[A-Za-z0-9]{36})\b)", 3.0, critical, "an npm token"},
    SecretRule{"pypi-token", "pypi-ageichlw", R"(\b(pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_\-]{50,500}))",
               3.0, critical, "a PyPI token"},
    SecretRule{"rubygems-token", "rubygems_", R"(\b(rubygems_[a-f0-9]{48})\b)", 3.0, critical,
               "a RubyGems key"},
    SecretRule{"docker-token", "dckr_pat_", R"(\b(dckr_pat_[A-Za-z0-9_\-]{27,})\b)", 3.0, critical,
               "a Docker Hub token"},
    SecretRule{"openai-key", "t3blbkfj",
               R"(\b(sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_\-]{20,}T3BlbkFJ[A-Za-z0-9_\-]{20,}))",
               3.0, critical, "an OpenAI key"},
    SecretRule{"anthropic-key", "sk-ant-",
               R"(\b(sk-ant-(?:api|admin|sid|oat)\d{2}-[A-Za-z0-9_\-]{80,120}))", 3.0, critical,
               "an Anthropic key"},
    SecretRule{"huggingface-token", "hf_", R"(\b(hf_[A-Za-z]{34})\b)", 3.5, critical,
               "a Hugging Face token"},
    SecretRule{"sendgrid-key", "sg.",
               R"(\b(SG\.[A-Za-z0-9_\-]{22}\.[A-Za-z0-9_\-]{43})(?:[^\w\-]|$))", 3.0, critical,
               "a SendGrid key"},
    SecretRule{"mailgun-key", "mailgun", R"((?i)mailgun.{0,40}\b(key-[0-9a-f]{32})\b)", 3.0, high,
               "a Mailgun key"},
    SecretRule{"mailchimp-key", "-us", R"(\b([0-9a-f]{32}-us\d{1,2})\b)", 3.0, high,
               "a Mailchimp key"},
    SecretRule{"twilio-key", "twilio", R"((?i)twilio.{0,40}\b(SK[0-9a-f]{32})\b)", 3.0, high,
               "a Twilio key"},
    SecretRule{"digitalocean-token", "do", R"(\b(do[opr]_v1_[a-f0-9]{64})\b)", 3.0, critical,
               "a DigitalOcean token"},
    SecretRule{"shopify-token", "shp", R"(\b(shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32})\b)", 3.0, critical,
               "a Shopify token"},
    SecretRule{"telegram-token", ":aa", R"(\b(\d{8,10}:AA[A-Za-z0-9_\-]{33})(?:[^\w\-]|$))", 3.5,
               high, "a Telegram bot token"},
    SecretRule{"discord-webhook", "/api/webhooks/",
               R"((discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_\-]{60,80}))", 3.0, high,
               "a Discord webhook address, which anybody can post to"},
    SecretRule{"azure-storage-key", "accountkey=", R"((?i)AccountKey=([A-Za-z0-9+/]{86}==))", 4.0,
               critical, "an Azure storage key"},
    SecretRule{"vault-token", "hvs.,hvb.", R"(\b(hv[sb]\.[A-Za-z0-9_\-]{24,200}))", 3.5, critical,
               "a Vault token"},
    SecretRule{"terraform-token", "atlasv1",
               R"(\b([A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-=]{60,70}))", 3.0, critical,
               "a Terraform Cloud token"},
    SecretRule{"databricks-token", "dapi", R"(\b(dapi[a-f0-9]{32}(?:-\d)?)\b)", 3.0, critical,
               "a Databricks token"},
    SecretRule{"grafana-token", "glsa_", R"(\b(glsa_[A-Za-z0-9]{32}_[a-f0-9]{8})\b)", 3.0, critical,
               "a Grafana service account token"},
    SecretRule{"linear-key", "lin_api_", R"(\b(lin_api_[A-Za-z0-9]{40})\b)", 3.0, high,
               "a Linear key"},
    SecretRule{"postman-key", "pmak-", R"(\b(PMAK-[a-f0-9]{24}-[a-f0-9]{34})\b)", 3.0, high,
               "a Postman key"},
    SecretRule{"newrelic-key", "nrak-", R"(\b(NRAK-[A-Z0-9]{27})\b)", 3.0, high, "a New Relic key"},
    SecretRule{"square-token", "sq0", R"(\b(sq0(?:atp|csp)-[A-Za-z0-9_\-]{22,43}))", 3.0, critical,
               "a Square token"},
    SecretRule{"age-key", "age-secret-key-1", R"(\b(AGE-SECRET-KEY-1[A-Z0-9]{58})\b)", 3.0,
               critical, "an age private key"},
};

// Those that could be many things, after all that are known.
constexpr std::array guesses{
    SecretRule{
        "password-in-address", "://",
        R"([a-zA-Z][a-zA-Z0-9+.\-]{1,20}://[^\s:/?#\[\]@'"<>]{0,80}:([^\s:/?#\[\]@'"<>]{6,100})@[\w.\-]+)",
        2.5, high, "an address with a password in it"},
    SecretRule{"json-web-token", "eyj",
               R"(\b(eyJ[A-Za-z0-9_\-]{15,}\.eyJ[A-Za-z0-9_\-]{15,}\.[A-Za-z0-9_\-]{20,}))", 3.5,
               medium, "a signed JSON web token"},
    SecretRule{
        "assigned-secret", "pass,secret,token,key,credential",
        R"((?i)(?:passw(?:or)?d|passwd|secret|api[_-]?key|auth[_-]?token|access[_-]?token|access[_-]?key|client[_-]?secret|private[_-]?key|credentials?)[a-z0-9_]*["']?\]?\s*(?:=|:|=>|:=)\s*["'`]([^\s"'`]{12,120})["'`])",
        3.5, medium, "something that looks like a secret is assigned"},
    SecretRule{
        "setting-secret", "pass,secret,token,key,credential",
        R"((?i)^[\s\-]*(?:export\s+|set\s+)?[\w.\-]*(?:passw(?:or)?d|passwd|secret|token|api[_\-.]?key|access[_\-.]?key|private[_\-.]?key|credentials?)\w*\s*[=:]\s*([^\s"'`#,;]{12,120})\s*(?:#.*)?$)",
        3.5, medium, "something that looks like a secret is set"},
    SecretRule{
        "exported-secret", "export,env,arg",
        R"((?i)^\s*(?:export|env|arg)\s+[a-z0-9_]*(?:passw(?:or)?d|passwd|secret|token|api_?key|access_?key|private_?key|credentials?)\w*(?:\s*=\s*|\s+)([^\s"'`#,;]{12,120})\s*(?:#.*)?$)",
        3.5, medium, "something that looks like a secret is exported"},
};

}  // namespace

std::span<const SecretRule> secret_rules() {
  static const auto all = [] {
    std::vector<SecretRule> rules(known_forms.begin(), known_forms.end());
    const auto more = more_secret_rules();
    rules.insert(rules.end(), more.begin(), more.end());
    rules.insert(rules.end(), guesses.begin(), guesses.end());
    return rules;
  }();
  return all;
}

}  // namespace vigil::entities::codebase
