import type { Faq } from "./types";

export const faqs: Faq[] = [
  { question: `Is it open
source?`, answer: "Yes: https://x.example/src" },
  { question: "Which licence?", answer: "MIT" },
];

export default faqs;
