"""Material that ordinary differences are made from."""

SYLLABLES = (
    "ba",
    "do",
    "fen",
    "gri",
    "hul",
    "jo",
    "kesh",
    "li",
    "mor",
    "nu",
    "pra",
    "sil",
    "tem",
    "vu",
    "yol",
    "zi",
)

PARAPHRASES = (
    "{}",
    "Please: {}",
    "Could you help me with this? {}",
    "I'd like to know the following. {}",
    "{} Thanks!",
    "Hello, {}",
    "Question: {}",
    "{} Answer as well as you can.",
    "Here is what I want to ask: {}",
    "Tell me, {}",
)

FORMS = (
    ("What is the population of {a}?", "The population of {a} is {n}."),
    ("Name: {a}\nDepartment: {b}\nWrite a profile.", "{a} has worked in the {b} department for {n} days."),
    ("How far is it from {a} to {b}?", "From {a} to {b} it is about {n} kilometres, or {m} miles."),
    ("Is {a} cheaper than {b}?", "{a} costs {n} and {b} costs {m}."),
    ("Define {a}.", "{a} (noun): a kind of {b} that is used with {c}."),
    ("Give the capital and the currency of {a}.", "Capital: {b}\nCurrency: {c}"),
    ("Order {n} of {a} arrived broken, what now?", "I am sorry about order {n}. A new {a} is on its way."),
    ("SELECT rows of {a} where {b} is over {n}", "SELECT * FROM {a} WHERE {b} > {n};"),
)  # fmt: skip

STOCK = {
    "before": (
        "Certainly!",
        "Sure, here is what you asked for:",
        "As an AI language model, I can tell you this.",
        "Great question!",
        "Of course! Let me help you with that.",
        "Absolutely!",
        "Thank you for your question.",
    ),
    "after": (
        "I hope this helps!",
        "Let me know if you have any other questions.",
        "Feel free to ask if you need anything else.",
        "In conclusion, it depends on your needs.",
        "Please consult a professional for advice on your situation.",
        "Is there anything else I can help you with?",
    ),
}

LABELS = (
    ("Classify the sentiment of the text.", ("positive", "negative", "neutral")),
    ("What is this news about?", ("Sports", "World", "Business", "Science")),
    ("Is this spam?", ("spam", "not spam")),
    ("Give the intent of the message.", ("refund_request", "order_status", "complaint", "praise", "other")),
    ("Rate the toxicity from 1 to 5.", ("1", "2", "3", "4", "5")),
)

CHATS = (("user", "assistant"), ("Human", "Assistant"), ("Q", "A"), ("Customer", "Agent"))
