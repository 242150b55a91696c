"""Tokens that show by their own form what they are: kind, pattern, and the lower-case literals that announce them.

Prefixes come from the vendors' documentation and from the rules of gitleaks,
https://github.com/gitleaks/gitleaks (config/gitleaks.toml).
"""

from __future__ import annotations

TOKENS: tuple[tuple[str, str, str], ...] = (
    ("aws-key", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])", "akia asia abia acca"),
    ("github-token", r"gh[pousr]_[A-Za-z0-9]{30,255}", "ghp_ gho_ ghu_ ghs_ ghr_"),
    ("github-token", r"github_pat_[A-Za-z0-9_]{22,255}", "github_pat_"),
    (
        "gitlab-token",
        r"(?:gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|ffct)|gloas)-[A-Za-z0-9_.-]{20,300}",
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glimt- glagent- glffct- gloas-",
    ),
    ("slack-token", r"(?:xox[a-z](?:\.xox[a-z])?|xapp)-[A-Za-z0-9-]{10,400}", "xox xapp-"),
    (
        "slack-webhook",
        r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,200}",
        "hooks.slack",
    ),
    ("teams-webhook", r"webhook\.office\.com/webhookb2/[A-Za-z0-9@/_-]{40,400}", "webhook.office"),
    (
        "stripe-key",
        r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,255}",
        "sk_live_ sk_test_ rk_live_ rk_test_",
    ),
    ("webhook-secret", r"whsec_[A-Za-z0-9+/=]{20,255}", "whsec_"),
    ("anthropic-key", r"sk-ant-[A-Za-z0-9_-]{16,255}", "sk-ant-"),
    ("api-key", r"sk-(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{16,255}", "sk-"),
    ("google-key", r"AIza[A-Za-z0-9_-]{35}", "aiza"),
    ("google-token", r"ya29\.[A-Za-z0-9_.-]{20,2048}", "ya29."),
    ("google-secret", r"GOCSPX-[A-Za-z0-9_-]{20,64}", "gocspx-"),
    ("azure-secret", r"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}", "q~"),
    ("azure-token", r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}(?![A-Za-z0-9])", "azdo"),
    ("npm-token", r"npm_[A-Za-z0-9]{30,64}", "npm_"),
    ("pypi-token", r"pypi-[A-Za-z0-9_-]{50,1024}", "pypi-"),
    ("rubygems-key", r"rubygems_[a-f0-9]{40,64}", "rubygems_"),
    ("docker-token", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,64}", "dckr_"),
    ("huggingface-token", r"hf_[A-Za-z0-9]{30,64}", "hf_"),
    ("mailgun-key", r"key-[0-9a-f]{32}(?![0-9a-z])", "key-"),
    ("shopify-token", r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}", "shpat_ shpca_ shppa_ shpss_"),
    ("digitalocean-token", r"do[opr]_v1_[a-f0-9]{64}", "doo_v1 dop_v1 dor_v1"),
    ("vault-token", r"hv[sbr]\.[A-Za-z0-9_-]{20,300}", "hvs. hvb. hvr."),
    ("atlassian-token", r"AT(?:ATT|BB|CTT)[A-Za-z0-9_=-]{20,300}", "atatt atbb atctt"),
    ("newrelic-key", r"NR(?:AK|JS|II|RA)-[A-Za-z0-9-]{16,64}", "nrak- nrjs- nrii- nrra-"),
    ("grafana-token", r"gl(?:sa|c)_[A-Za-z0-9+/=_]{20,400}", "glsa_ glc_"),
    ("databricks-token", r"dapi[a-f0-9]{32}", "dapi"),
    ("linear-key", r"lin_(?:api|oauth)_[A-Za-z0-9]{30,128}", "lin_api_ lin_oauth_"),
    ("sentry-token", r"sntry[su]_[A-Za-z0-9+/=_]{20,300}", "sntrys_ sntryu_"),
    ("postman-key", r"PMAK-[A-Za-z0-9-]{40,80}", "pmak-"),
    ("age-key", r"AGE-SECRET-KEY-1[A-Z0-9]{50,64}", "age-secret-key-"),
    (
        "api-key",
        r"(?:gsk_|xai-|r8_|pplx-|sbp_|pul-|tvly-)[A-Za-z0-9_]{32,1024}",
        "gsk_ xai- r8_ pplx- sbp_ pul- tvly-",
    ),
    ("telegram-token", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{32,35}(?![A-Za-z0-9_-])", ":aa"),
    (
        "jwt",
        r"eyJ[A-Za-z0-9_-]{6,8192}\.[A-Za-z0-9_-]{6,16384}(?:\.[A-Za-z0-9_-]{0,8192}){0,3}",
        "eyj",
    ),
    ("twilio-key", r"SK[0-9a-f]{32}(?![0-9a-z])", "sk"),
    ("sendgrid-key", r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{30,64}", "sg."),
    ("doppler-token", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{20,128}", "dp."),
)

LONGER_ANCHORS = {
    "sk": "[0-9a-f]{8}",
    "sg.": "[a-z0-9_-]{12}",
    "dp.": r"(?:pt|st|ct|sa|scim|audit)\.",
    "sk-": "[a-z0-9_-]{12}",
    "key-": "[0-9a-f]{32}",
    ":aa": "[a-z0-9_-]{32}",
    "sig": "(?:nature)?[^a-z]",
    "signature": "[^a-z]",
    "key": "(?:[^a-z]|hash|digest|b64|base64|encrypted|value|plain|text|old|new)",
    **dict.fromkeys(("otp", "ssn", "cvv", "cvc", "basic", "bearer", "curl"), "[^a-z]"),
    "mysql": "(?:dump|admin|import)?[^a-z]",
}
"""For a hint that ordinary words hold too, what must follow it (in lower case) before a line is looked at."""
