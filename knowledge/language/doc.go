// Package language tells in what language a text is: by its script first, then by what its words are made of. It
// knows 34 languages in Latin, Cyrillic and Arabic script and Hindi in both of its scripts, and a dozen more that
// their script alone tells. "sr" stands for what is written in Belgrade, Zagreb and Sarajevo: a few words do not tell
// these apart.
//
// Each word has a probability in every language, by its groups of up to four letters and the whole word:
// a multinomial logistic regression, of which profiles.bin holds the weights. "faqbot eval fit-languages" fits them;
// eval/languages has the words. Words of English are in texts of all languages, as names and titles, and so they
// count little against another language.
//
// It is not for what to say to whom (bot/dialogue), nor for which locale fits a reader (knowledge/locale).
package language
