// NLP.js as a subject of faqbot eval run. In the folder where `npm install node-nlp` was run:
//
//   faqbot eval run SUITE --faq faq.jsonl --command "node nlpjs.js faq.jsonl"
//
// It trains on the wordings of the FAQ, an intent for each entry, before it reads the first question.
const fs = require("fs");
const readline = require("readline");
const { NlpManager } = require("node-nlp");

const answerAt = 0.5; // NLP.js's own default threshold

async function main(path) {
  const manager = new NlpManager({ languages: ["en"], forceNER: false, autoSave: false, modelFileName: "", nlu: { log: false } });
  for (const line of fs.readFileSync(path, "utf8").split("\n")) {
    if (!line.trim()) continue;
    const entry = JSON.parse(line);
    for (const wording of [entry.question, ...(entry.variants || [])]) manager.addDocument("en", wording, entry.id);
  }
  await manager.train();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const question = JSON.parse(line);
    const result = await manager.process("en", question.text);
    const ranked = (result.classifications || [])
      .filter((c) => c.intent !== "None")
      .slice(0, 10)
      .map((c) => ({ entry: c.intent, probability: c.score }));
    const reply = { id: question.id, action: "clarify", ranked };
    if (result.intent && result.intent !== "None" && result.score >= answerAt) {
      reply.action = "answer";
      reply.entry = result.intent;
    }
    process.stdout.write(JSON.stringify(reply) + "\n");
  }
}

main(process.argv[2]);
