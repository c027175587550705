package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"faqbot/knowledge"
)

const (
	questionTokens = 14     // of each of questions, [CLS] and [SEP] included
	entryCount     = 10_000 // of the big corpus; each has three wordings
)

// questions are what is encoded: twelve words that are one token each.
func questions() []string {
	return []string{
		"how do i change the address of my order before it ships",
		"can you tell me where my money went after the last transfer",
		"what happens if i send back only one of the three items",
		"why was my card not accepted when i tried to pay today",
		"is there a way to get a copy of my last bill",
	}
}

// The big corpus: what customers ask a shop, by what they want, of what, and when. The questions
// share their words with hundreds of others, as those of one trade do.
func wants() []string {
	return strings.Split("change,cancel,return,track,pay for,get a refund for,exchange,insure,repair,renew,pause,upgrade,"+
		"gift wrap,order again,complain about,get an invoice for,delay,split,share,transfer", ",")
}

func things() []string {
	return strings.Split("my subscription,a parcel,the winter coat,a gift card,my membership,the delivery,an online course,a hotel booking,"+
		"the phone contract,my train ticket,a broken lamp,the garden chair,my travel insurance,a bulk order,the coffee machine,"+
		"my student account,a rental car,the annual plan,a custom print,the spare part,my loyalty points,a flower bouquet,"+
		"the security deposit,my event ticket,a washing machine", ",")
}

func whens() []string {
	return strings.Split("after the delivery,before it ships,without a receipt,from abroad,with a voucher,during the trial,on a public holiday,"+
		"as a business customer,after two weeks,while I am travelling,by bank transfer,without an account,for somebody else,"+
		"in another currency,when it arrived damaged,after I moved house,with express shipping,if I lost the password,"+
		"at the end of the month,for the second time", ",")
}

// entries makes the big corpus, always the same.
func entries() []knowledge.Row {
	list := make([]knowledge.Row, 0, len(wants())*len(things())*len(whens()))
	for _, want := range wants() {
		for _, thing := range things() {
			for _, when := range whens() {
				n := len(list)
				list = append(list, knowledge.Row{Line: n + 1, Entry: knowledge.Entry{
					Key: fmt.Sprintf("entry-%d", n), Locale: "en",
					Question: fmt.Sprintf("How do I %s %s %s?", want, thing, when),
					Variants: []string{
						fmt.Sprintf("I would like to %s %s %s", want, thing, when),
						fmt.Sprintf("Is it possible to %s %s %s, and what does it cost?", want, thing, when),
					},
					Answer: fmt.Sprintf("This is how to %s %s %s: open your orders, choose the one you mean and follow the steps there.", want, thing, when),
				}})
			}
		}
	}
	return list[:entryCount]
}

// asked makes n questions that customers put to the big corpus: in words of their own, every fifth
// with two letters swapped.
func asked(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	forms := []string{"hello, %s: can I %s it %s?", "what do I have to do to %[2]s %[1]s %[3]s", "%[3]s I need to %[2]s %[1]s, how?"}
	list := make([]string, n)
	for i := range list {
		text := []byte(fmt.Sprintf(pick(forms), pick(things()), pick(wants()), pick(whens())))
		if i%5 == 4 {
			at := 1 + r.IntN(len(text)-2)
			text[at], text[at+1] = text[at+1], text[at]
		}
		list[i] = string(text)
	}
	return list
}
