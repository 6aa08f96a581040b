"""Ids and official titles of the public lists that threats and controls refer to. Data only.

OWASP Top 10 for LLM Applications 2023 (v1.1) and 2025; OWASP Top 10 for Agentic Applications 2026; NIST
CSF 2.0; a few techniques of MITRE ATLAS 5.6.
"""

from collections.abc import Mapping

OWASP: Mapping[str, str] = {
    "LLM01@2023": "Prompt Injection",
    "LLM02@2023": "Insecure Output Handling",
    "LLM03@2023": "Training Data Poisoning",
    "LLM04@2023": "Model Denial of Service",
    "LLM05@2023": "Supply Chain Vulnerabilities",
    "LLM06@2023": "Sensitive Information Disclosure",
    "LLM07@2023": "Insecure Plugin Design",
    "LLM08@2023": "Excessive Agency",
    "LLM09@2023": "Overreliance",
    "LLM10@2023": "Model Theft",
    "LLM01@2025": "Prompt Injection",
    "LLM02@2025": "Sensitive Information Disclosure",
    "LLM03@2025": "Supply Chain",
    "LLM04@2025": "Data and Model Poisoning",
    "LLM05@2025": "Improper Output Handling",
    "LLM06@2025": "Excessive Agency",
    "LLM07@2025": "System Prompt Leakage",
    "LLM08@2025": "Vector and Embedding Weaknesses",
    "LLM09@2025": "Misinformation",
    "LLM10@2025": "Unbounded Consumption",
    "ASI01@2026": "Agent Goal Hijack",
    "ASI02@2026": "Tool Misuse & Exploitation",
    "ASI03@2026": "Identity & Privilege Abuse",
    "ASI04@2026": "Agentic Supply Chain Vulnerabilities",
    "ASI05@2026": "Unexpected Code Execution (RCE)",
    "ASI06@2026": "Memory & Context Poisoning",
    "ASI07@2026": "Insecure Inter-Agent Communication",
    "ASI08@2026": "Cascading Failures",
    "ASI09@2026": "Human-Agent Trust Exploitation",
    "ASI10@2026": "Rogue Agents",
}
"""Title by ``id@edition``."""

CROSSWALK: Mapping[str, tuple[str, ...]] = {
    "LLM01@2023": ("LLM01@2025",),
    "LLM02@2023": ("LLM05@2025",),
    "LLM03@2023": ("LLM04@2025",),
    "LLM04@2023": ("LLM10@2025",),
    "LLM05@2023": ("LLM03@2025",),
    "LLM06@2023": ("LLM02@2025",),
    "LLM07@2023": (
        "LLM06@2025",
        "LLM03@2025",
        "LLM05@2025",
    ),
    "LLM08@2023": ("LLM06@2025",),
    "LLM09@2023": ("LLM09@2025",),
    "LLM10@2023": (
        "LLM10@2025",
        "LLM02@2025",
        "LLM03@2025",
    ),
}
"""What became of a 2023 risk in 2025."""

CSF_FUNCTIONS: Mapping[str, str] = {
    "GV": "Govern",
    "ID": "Identify",
    "PR": "Protect",
    "DE": "Detect",
    "RS": "Respond",
    "RC": "Recover",
}

CSF_CATEGORIES: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "GV.OC": (
        "Organizational Context",
        (
            1,
            2,
            3,
            4,
            5,
        ),
    ),
    "GV.RM": (
        "Risk Management Strategy",
        (
            1,
            2,
            3,
            4,
            5,
            6,
            7,
        ),
    ),
    "GV.RR": (
        "Roles, Responsibilities, and Authorities",
        (
            1,
            2,
            3,
            4,
        ),
    ),
    "GV.PO": (
        "Policy",
        (
            1,
            2,
        ),
    ),
    "GV.OV": (
        "Oversight",
        (
            1,
            2,
            3,
        ),
    ),
    "GV.SC": (
        "Cybersecurity Supply Chain Risk Management",
        (
            1,
            2,
            3,
            4,
            5,
            6,
            7,
            8,
            9,
            10,
        ),
    ),
    "ID.AM": (
        "Asset Management",
        (
            1,
            2,
            3,
            4,
            5,
            7,
            8,
        ),
    ),
    "ID.RA": (
        "Risk Assessment",
        (
            1,
            2,
            3,
            4,
            5,
            6,
            7,
            8,
            9,
            10,
        ),
    ),
    "ID.IM": (
        "Improvement",
        (
            1,
            2,
            3,
            4,
        ),
    ),
    "PR.AA": (
        "Identity Management, Authentication, and Access Control",
        (
            1,
            2,
            3,
            4,
            5,
            6,
        ),
    ),
    "PR.AT": (
        "Awareness and Training",
        (
            1,
            2,
        ),
    ),
    "PR.DS": (
        "Data Security",
        (
            1,
            2,
            10,
            11,
        ),
    ),
    "PR.PS": (
        "Platform Security",
        (
            1,
            2,
            3,
            4,
            5,
            6,
        ),
    ),
    "PR.IR": (
        "Technology Infrastructure Resilience",
        (
            1,
            2,
            3,
            4,
        ),
    ),
    "DE.CM": (
        "Continuous Monitoring",
        (
            1,
            2,
            3,
            6,
            9,
        ),
    ),
    "DE.AE": (
        "Adverse Event Analysis",
        (
            2,
            3,
            4,
            6,
            7,
            8,
        ),
    ),
    "RS.MA": (
        "Incident Management",
        (
            1,
            2,
            3,
            4,
            5,
        ),
    ),
    "RS.AN": (
        "Incident Analysis",
        (
            3,
            6,
            7,
            8,
        ),
    ),
    "RS.CO": (
        "Incident Response Reporting and Communication",
        (
            2,
            3,
        ),
    ),
    "RS.MI": (
        "Incident Mitigation",
        (
            1,
            2,
        ),
    ),
    "RC.RP": (
        "Incident Recovery Plan Execution",
        (
            1,
            2,
            3,
            4,
            5,
            6,
        ),
    ),
    "RC.CO": (
        "Incident Recovery Communication",
        (
            3,
            4,
        ),
    ),
}
"""Title and numbers of the subcategories that CSF 2.0 has (numbers of withdrawn ones are missing)."""

CSF: frozenset[str] = frozenset(
    f"{category}-{number:02}" for category, (_, numbers) in CSF_CATEGORIES.items() for number in numbers
)
"""Ids of all subcategories."""

ATLAS: Mapping[str, str] = {
    "AML.T0010@5.6": "AI Supply Chain Compromise",
    "AML.T0011@5.6": "User Execution",
    "AML.T0012@5.6": "Valid Accounts",
    "AML.T0018@5.6": "Manipulate AI Model",
    "AML.T0020@5.6": "Poison Training Data",
    "AML.T0024@5.6": "Exfiltration via AI Inference API",
    "AML.T0029@5.6": "Denial of AI Service",
    "AML.T0034@5.6": "Cost Harvesting",
    "AML.T0040@5.6": "AI Model Inference API Access",
    "AML.T0048@5.6": "External Harms",
    "AML.T0051@5.6": "LLM Prompt Injection",
    "AML.T0053@5.6": "AI Agent Tool Invocation",
    "AML.T0054@5.6": "LLM Jailbreak",
    "AML.T0056@5.6": "Extract LLM System Prompt",
    "AML.T0057@5.6": "LLM Data Leakage",
    "AML.T0060@5.6": "Publish Hallucinated Entities",
    "AML.T0061@5.6": "LLM Prompt Self-Replication",
    "AML.T0062@5.6": "Discover LLM Hallucinations",
    "AML.T0066@5.6": "Retrieval Content Crafting",
    "AML.T0067@5.6": "LLM Trusted Output Components Manipulation",
    "AML.T0068@5.6": "LLM Prompt Obfuscation",
    "AML.T0070@5.6": "RAG Poisoning",
    "AML.T0071@5.6": "False RAG Entry Injection",
    "AML.T0077@5.6": "LLM Response Rendering",
    "AML.T0080@5.6": "AI Agent Context Poisoning",
    "AML.T0086@5.6": "Exfiltration via AI Agent Tool Invocation",
}
"""Technique by ``id@version``."""

TAGS: Mapping[str, str] = {**OWASP, **ATLAS}
"""Everything that a threat may be tagged with."""

STRIDE: Mapping[str, str] = {
    "S": "Spoofing",
    "T": "Tampering",
    "R": "Repudiation",
    "I": "Information disclosure",
    "D": "Denial of service",
    "E": "Elevation of privilege",
}
